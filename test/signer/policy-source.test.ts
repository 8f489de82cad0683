import { afterAll, beforeEach, describe, expect, test } from 'bun:test'
import {
  appendFileSync,
  chmodSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Disk, realDisk } from '../../src/base/disk.ts'
import { liftableDenials } from '../../src/chains/denials.ts'
import type { Policy } from '../../src/guard/policy.ts'
import { judge } from '../../src/guard/policy-judge.ts'
import { loadPolicy } from '../../src/signer/policy-source.ts'
import { nothingSpent, output, payment } from '../support/policies.ts'
import { refusalOf } from '../support/secret.ts'

const folder = mkdtempSync(join(tmpdir(), 'kms-policy-file-'))
const path = join(folder, 'policy.toml')
afterAll(() => rmSync(folder, { recursive: true }))
beforeEach(() => rmSync(path, { force: true }))

const least = 'version = 1\ndefault = "deny"\n'

describe('a policy file', () => {
  test('is TOML', () => {
    expect(load(`# mine\n${least}`).default).toBe('deny')
  })

  test.each(['policy.json', 'policy'])('is JSON where it is called %s or looks like it', name => {
    expect(load(' {"version": 1, "default": "allow"}', name).default).toBe('allow')
  })

  test('that is not there is a mistake of the command line', () => {
    const { code, message } = refusalOf(() => loadPolicy(realDisk, { path, share: null }))
    expect([code, message]).toEqual(['usage', `there is no policy file at ${path}`])
  })

  test.each([0o620, 0o602])('of mode %o is refused', mode => {
    writeFileSync(path, least)
    chmodSync(path, mode)
    const { code, hint } = refusalOf(() => loadPolicy(realDisk, { path, share: null }))
    expect([code, hint]).toEqual(['unsafe-permissions', `chmod 600 ${path}`])
  })

  test('that grows while it is read is not taken for what it was until then', () => {
    writeFileSync(path, least.replace('deny', 'allow'), { mode: 0o600 })
    let rest = '[[rule]]\nname = "nothing"\naction = "deny"\n'
    const disk: Disk = {
      ...realDisk,
      open(at, access) {
        const file = realDisk.open(at, access)
        return {
          ...file,
          read(into, position) {
            const count = file.read(into, position)
            if (count === 0) appendFileSync(path, rest)
            if (count === 0) rest = ''
            return count
          },
        }
      },
    }
    expect(loadPolicy(disk, { path, share: null }).rules).toHaveLength(1)
  })

  test('that never stops growing is refused', () => {
    writeFileSync(path, least, { mode: 0o600 })
    const disk: Disk = {
      ...realDisk,
      look(at) {
        appendFileSync(path, '#')
        return realDisk.look(at)
      },
    }
    expect(refusalOf(() => loadPolicy(disk, { path, share: null })).code).toBe('vault-busy')
  })

  test("of root's is read by a service of another user, for whom others may read it", () => {
    writeFileSync(path, least)
    const asService = (uid: number): Disk => ({
      ...realDisk,
      user: () => 4242,
      open(at, access) {
        const file = realDisk.open(at, access)
        return { ...file, stat: () => ({ ...file.stat(), uid }) }
      },
    })
    chmodSync(path, 0o644)
    expect(loadPolicy(asService(0), { path, share: null }).default).toBe('deny')
    expect(refusalOf(() => loadPolicy(asService(4243), { path, share: null })).code).toBe(
      'unsafe-permissions',
    )
  })

  test('behind a link, or that is a folder, is refused', () => {
    const target = join(folder, 'target')
    writeFileSync(target, least, { mode: 0o600 })
    symlinkSync(target, path)
    for (const found of [path, folder]) {
      expect(refusalOf(() => loadPolicy(realDisk, { path: found, share: null })).code).toBe(
        'unsafe-permissions',
      )
    }
  })

  test.each<readonly [string, string, string]>([
    ['cut off', `${least}[[rule]]\nname = "a`, 'is not TOML: see what begins at line 4'],
    ['JSON that is cut off', '{"version": 1', 'is not JSON'],
    ['a name twice', '{"version": 1, "default": "deny", "default": "allow"}', 'a member twice'],
    ['a name twice in TOML', `${least}default = "allow"`, 'see what begins at line 3'],
    ['empty', '', 'the policy is wrong at version: it must be 1'],
    ['deep', `{"version": ${'['.repeat(100)}${']'.repeat(100)}}`, 'nested too deep'],
    ['deeper', `{"version": ${'['.repeat(500_000)}`, 'is not JSON'],
    ['deep in TOML', `a = ${'['.repeat(500_000)}`, 'is not TOML'],
    [
      'endless',
      `${least}[[cap]]\nname = "a"\nasset = "ETH"\ntransaction = 1e999`,
      'cap "a", trans',
    ],
    ['large', `#${' '.repeat(2 ** 20)}`, 'is larger than 1048576 bytes'],
    ['of a version to come', 'version = 2\ndefault = "deny"', 'version: it must be 1'],
    ['misspelled', `${least}[[rules]]\nname = "a"`, '"rules": no such member is known here'],
    ['no known chain', `${least}[fees]\nETC = 1`, 'fees, "ETC": no such member'],
  ])('that is %s is refused with a sentence', (_, text, reason) => {
    const { code, message } = refusalOf(() => load(text))
    expect(code).toBe('usage')
    expect(message).toContain(reason)
    expect(message).toMatch(/^[ -~]{10,300}$/)
  })

  test('that is no text is refused', () => {
    writeFileSync(path, Buffer.from([0x61, 0xff, 0xfe]), { mode: 0o600 })
    const { message } = refusalOf(() => loadPolicy(realDisk, { path, share: null }))
    expect(message).toContain('is no text')
  })
})

describe('the example of docs/operations.md', () => {
  const docs = readFileSync(join(import.meta.dir, '../../docs/operations.md'), 'utf8')
  const [, section = ''] = docs.split('\n## Policy\n')
  const [, example = ''] = /```toml\n(.*?)```/s.exec(section) ?? []
  const policy = (): Policy => load(example)

  test('names every member that there is', () => {
    const members = [
      ...['version', 'default', 'share', 'lift', 'name', 'action', 'chains', 'kinds', 'wallets'],
      ...['recipients', 'assets', 'unread', 'asset', 'transaction', 'window', 'total', 'each'],
      'except',
    ]
    expect(members.filter(name => !new RegExp(`^(# )?${name} = `, 'm').test(example))).toEqual([])
    for (const table of ['[[rule]]', '[[cap]]', '[fees]']) expect(example).toContain(table)
  })

  const usdt = 'ETH:0xdac17f958d2ee523a2206206994597c13d831ec7'
  const customer = '0x1111111111111111111111111111111111111111'
  const stolen = '0x098b716b8aaf21512996dc57eb0615e2383e2f96'
  const cold = 'bc1qm34lsc65zpw79lxes69zkqmk6ee3ewf0j77s3h'
  const coins = (n: bigint) => n * 10n ** 18n

  test('stands beside a list of all denials that can be lifted', () => {
    for (const { name, about } of liftableDenials) {
      expect(section).toContain(`| \`${name}\` | ${about} |`)
    }
  })

  test.each<readonly [string, Parameters<typeof payment>[0], string]>([
    [
      'a withdrawal',
      { outputs: [output({ to: customer, amount: coins(1n) })] },
      'rule "withdrawals"',
    ],
    [
      'tokens',
      {
        kind: 'token-transfer',
        outputs: [output({ to: customer, asset: usdt, amount: 1_000_000n })],
      },
      'rule "withdrawals"',
    ],
    ['a stolen address', { outputs: [output({ to: stolen })] }, 'rule "sanctioned"'],
    [
      'an allowance for anybody',
      { kind: 'approve', outputs: [output({ to: customer, asset: usdt })] },
      'rule "no allowances"',
    ],
    ['a contract nobody knows', { kind: 'contract-call', unread: true }, 'default'],
    ['too much at once', { outputs: [output({ amount: coins(51n) })] }, 'cap "ETH"'],
    [
      'all of it, to the cold wallet',
      {
        chain: 'BTC',
        outputs: [output({ to: cold, asset: 'BTC', amount: 100n * 10n ** 8n })],
        fee: { amount: 10_000n, asset: 'BTC' },
      },
      'rule "withdrawals"',
    ],
    [
      'as much to anybody else',
      {
        chain: 'BTC',
        outputs: [output({ to: 'bc1qelse', asset: 'BTC', amount: 100n * 10n ** 8n })],
        fee: { amount: 10_000n, asset: 'BTC' },
      },
      'cap "BTC"',
    ],
  ])('judges %s', (_, judged, by) => {
    expect(judge(policy(), payment(judged), nothingSpent).by).toBe(by)
  })
})

function load(text: string, name = 'policy.toml'): Policy {
  const file = join(folder, name)
  writeFileSync(file, text, { mode: 0o600 })
  try {
    return loadPolicy(realDisk, { path: file, share: null })
  } finally {
    rmSync(file)
  }
}
