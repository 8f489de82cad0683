import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chainNames } from '../src/chains/names.ts'
import { commands } from '../src/cli/commands.ts'
import { binaryUnderTest } from './support/script.ts'

const readme = readFileSync(join(import.meta.dir, '../README.md'), 'utf8')
let folder = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kms-readme-'))
  const quoted = binaryUnderTest.map(word => `'${word}'`).join(' ')
  writeFileSync(join(folder, 'tatum-kms'), `#!/bin/sh\nexec ${quoted} "$@"\n`, { mode: 0o755 })
})
afterAll(() => rmSync(folder, { recursive: true }))

test('the first session runs as it is printed, but for what is random in it', () => {
  const [, session = ''] = /```console\n([^`]*)```/.exec(readme) ?? []
  const steps = session.split(/^\$ /m).slice(1)
  expect(steps.length).toBeGreaterThan(2)
  for (const step of steps) {
    const [command = '', ...printed] = step.trimEnd().split('\n')
    const run = Bun.spawnSync(['bash', '-c', command], {
      cwd: folder,
      env: { HOME: folder, PATH: `${folder}:${process.env['PATH']}` },
    })
    expect({ command, status: run.exitCode }).toEqual({ command, status: 0 })
    expect(shapeOf(run.stdout.toString())).toBe(shapeOf(printed.join('\n')))
  }
})

test('every command line it shows is one the program takes', () => {
  const lines = [...readme.matchAll(/^tatum-kms (\w+)(.*)$/gm)]
  expect(lines.length).toBeGreaterThan(0)
  for (const [, name = '', rest = ''] of lines) {
    const command = commands.find(known => known.name === name)
    const flags = [...rest.matchAll(/--([\w-]+)/g)].map(([, flag]) => flag)
    for (const flag of flags)
      expect(command?.options.map(option => option.name)).toContain(flag ?? '')
  }
})

test('the table of chains names each of them once', () => {
  const [, table = ''] = /^## Chains\n([^#]*)/m.exec(readme) ?? []
  const named = [...table.matchAll(/^\| ([A-Z, ]+) \|/gm)].flatMap(([, ids = '']) =>
    ids.split(', '),
  )
  expect(named.toSorted()).toEqual(chainNames.map(([id]) => id).toSorted())
})

/** JSON with its values taken out: ids, keys and addresses are random. */
function shapeOf(text: string): string {
  return text.trim().replaceAll(/: "[^"]+"/g, ': "…"')
}
