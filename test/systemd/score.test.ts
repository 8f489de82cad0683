import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { renderUnit } from '../../src/cli/services/render.ts'
import { texts } from '../../src/cli/services/texts.ts'

const folder = mkdtempSync(join(tmpdir(), 'kms-units-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** What `systemd-analyze security` may find at most, out of ten. */
const limits = [
  ['tatum-kms.service', 1.0],
  ['tatum-kms-front.service', 1.0],
  ['tatum-kms-signer.service', 0.3],
] as const
const names = [...limits.map(([name]) => name), 'tatum-kms-signer.socket'] as const

const systemd = systemdHere()
if (systemd === undefined) process.stderr.write('systemd: no systemd-analyze here, skipped\n')
for (const name of names) {
  const machine = { binary: '/usr/local/bin/tatum-kms', systemd: systemd ?? 253 }
  writeFileSync(join(folder, name), renderUnit(texts[name], machine))
}

describe.skipIf(systemd === undefined)('the units', () => {
  test.each(limits)('%s is exposed by %p at most', (name, limit) => {
    const said = analyze('security', '--offline=true', '--no-pager', join(folder, name))
    const exposure = Number(/Overall exposure level for \S+: (\d+\.\d)/.exec(said)?.[1])
    process.stderr.write(`systemd: exposure of ${name}: ${exposure}\n`)
    expect(exposure).toBeLessThanOrEqual(limit)
  })

  test('hold nothing that systemd does not know', () => {
    const said = analyze('verify', '--man=no', ...names.map(name => join(folder, name)))
    // The program is in the service's own root.
    const faults = said.split('\n').filter(line => !/^$|Command \/tatum-kms is not exec/.test(line))
    expect(faults).toEqual([])
  })
})

describe('a unit', () => {
  const single = texts['tatum-kms.service']

  test('tells by itself that it reloads where systemd listens, else is told', () => {
    const of = (version: number) => renderUnit(single, { binary: '/bin/x', systemd: version })
    expect(of(253)).toMatch(/^Type=notify-reload$/m)
    expect(of(253)).not.toContain('ExecReload')
    expect(of(252)).toMatch(/^Type=notify\nExecReload=\/tatum-kms reload-service \$MAINPID$/m)
  })

  test('runs the program that it was installed with', () => {
    const unit = renderUnit(single, { binary: '/opt/kms', systemd: 253 })
    expect(unit).toMatch(/^BindReadOnlyPaths=\/opt\/kms:\/tatum-kms /m)
    expect(unit).not.toMatch(/@[A-Z]+@/)
  })

  test.each(limits)('%s gives up the same as the others', name => {
    const lines = texts[name].split('\n')
    for (const line of [
      'CapabilityBoundingSet=',
      'NoNewPrivileges=yes',
      'ProtectSystem=strict',
      'LimitCORE=0',
      'MemorySwapMax=0',
      'SystemCallArchitectures=native',
    ]) {
      expect(lines).toContain(line)
    }
    expect(texts[name]).toContain('--require-hardening')
  })
})

function systemdHere(): number | undefined {
  if (Bun.which('systemd-analyze') === null) return undefined
  return Number(/^systemd (\d+)/.exec(analyze('--version'))?.[1])
}

function analyze(...args: readonly string[]): string {
  const run = Bun.spawnSync(['systemd-analyze', ...args], { stderr: 'pipe' })
  return run.stdout.toString() + run.stderr.toString()
}
