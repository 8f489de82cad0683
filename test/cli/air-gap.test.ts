import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { visibleCommands } from '../../src/cli/commands.ts'
import { canUnshare } from '../support/bundle-home.ts'
import { encryptOriginal } from '../support/original-file.ts'
import { binaryUnderTest } from '../support/script.ts'
import { idOf, storeWallets, testPassword } from '../support/test-vault.ts'

const mnemonic = `${'abandon '.repeat(11)}about`
const key = `0x${'07'.repeat(32)}`

type Step = {
  readonly line: string
  readonly input?: string
  /** 0 unless it says otherwise. */
  readonly status?: number
}

/** Every command that needs no network, in an order in which they make sense. */
const offline: readonly Step[] = [
  { line: 'generatewallet BTC' },
  { line: 'generatemanagedwallet SOL --kdf-cost=14' },
  { line: 'storemanagedwallet ETH', input: mnemonic },
  { line: 'storemanagedprivatekey ETH', input: key },
  { line: 'generatemanagedprivatekeybatch XRP 2' },
  { line: `getmanagedwallet ${idOf(1)}` },
  { line: `getprivatekey ${idOf(1)} 0` },
  { line: `getaddress ${idOf(1)} 0 --qr` },
  { line: `removewallet ${idOf(2)}` },
  { line: 'list --public --keys=3' },
  { line: 'export' },
  { line: 'migrate old.dat --from-password-file=pw --path=migrated.dat' },
  { line: 'password list' },
  { line: 'changepassword --new-password-file=pw --kdf-cost=14' },
  { line: 'backup create copy.dat' },
  { line: 'backup verify copy.dat' },
  { line: 'restore copy.dat --force' },
  { line: 'inspect' },
  { line: 'checkconfig' },
  { line: 'selftest' },
  { line: `report ${idOf(1)}` },
  { line: 'bundle show bundle.json --qr' },
  { line: 'bundle sign bundle.json --out=signed.json' },
  { line: 'bundle join', status: 2 },
  { line: 'audit verify' },
  { line: 'policy check policy.toml' },
  { line: 'completion bash' },
  { line: 'man' },
  // Nothing of theirs is here: they say so.
  { line: 'status', status: 3 },
  { line: 'tx list', status: 2 },
]

/** What asks, or is about, other machines, or changes this one. */
const elsewhere = ['daemon', 'doctor', 'install-service', 'uninstall-service']

let home = ''

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'kms-air-gap-'))
  const write = (name: string, text: string | Uint8Array): void =>
    writeFileSync(join(home, name), text, { mode: 0o600 })
  const network = 'mainnet'
  write('pw', `${testPassword}\n`)
  await storeWallets(home, [
    { id: idOf(1), chain: 'BTC', network, mnemonic },
    { id: idOf(2), chain: 'ETH', network, key },
  ])
  const list = await run(['list', '--public'])
  const { vaultId } = JSON.parse(list.stdout)
  const head = { format: 'tatum-kms unsigned bundle', version: 1, vaultId, network }
  const bundle = { ...head, madeAt: '2026-01-31T12:00:00Z', payments: [] }
  const old = encryptOriginal(JSON.stringify({ [idOf(9)]: oldWallet }), testPassword)
  write('wallets.json', list.stdout)
  write('old.dat', old)
  write('bundle.json', JSON.stringify(bundle))
  write('policy.toml', 'version = 1\ndefault = "deny"\n')
}, 60_000)
afterAll(() => rmSync(home, { recursive: true }))

const oldWallet = { chain: 'ETH', testnet: false, privateKey: key }

test('every command is among those that need no network, or is known to', () => {
  const tried = offline.map(({ line }) => line.split(' ')[0])
  const known = new Set([...tried, ...elsewhere])
  const names = visibleCommands.map(({ name }) => name)
  expect(names.filter(name => !known.has(name))).toEqual([])
})

describe.skipIf(!canUnshare)('without any network (needs Linux and root)', () => {
  test.each(offline.map(step => [step.line, step] as const))(
    '%s',
    async (_, step) => {
      const trace = join(home, 'trace')
      const traced = Bun.which('strace') === null ? [] : straced(trace)
      const before = ['unshare', '--net', ...traced]
      const { status, stdout, stderr } = await run(step.line.split(' '), { before, ...step })
      expect({ status, stdout, stderr }).toMatchObject({ status: step.status ?? 0 })
      if (traced.length > 0) expect(readFileSync(trace, 'utf8')).not.toMatch(attempt)
    },
    60_000,
  )

  test.skipIf(Bun.which('strace') === null)(
    'an attempt would be seen',
    async () => {
      const trace = join(home, 'trace')
      const before = ['unshare', '--net', ...straced(trace)]
      const line = 'bundle create --wallets=wallets.json --api-key=none'
      const { status } = await run(line.split(' '), { before })
      expect(status).toBe(30)
      expect(readFileSync(trace, 'utf8')).toMatch(attempt)
    },
    60_000,
  )
})

const attempt = /socket|connect/

/** What is written down are attempts, whatever came of them. */
function straced(trace: string): readonly string[] {
  return ['strace', '-f', '-qq', '--seccomp-bpf', '-e', 'trace=socket,connect', '-o', trace]
}

async function run(
  args: readonly string[],
  { before = [], input = '' }: { before?: readonly string[]; input?: string } = {},
): Promise<{ readonly status: number; readonly stdout: string; readonly stderr: string }> {
  const [name = ''] = args
  const options = visibleCommands.find(command => command.name === name)?.options ?? []
  const takes = (option: string) => options.some(known => known.name === option)
  const isGiven = args.some(arg => arg.startsWith('--path='))
  const path = takes('path') && !isGiven ? ['--path=wallet.dat'] : []
  const password = takes('password-file') ? ['--password-file=pw'] : []
  const child = Bun.spawn([...before, ...binaryUnderTest, ...args, ...path, ...password], {
    cwd: home,
    // Whatever is asked for all the same is on this machine, where nobody answers.
    env: { HOME: home, PATH: process.env['PATH'] ?? '', TATUM_API_URL: 'http://127.0.0.1:9' },
    stdin: Buffer.from(`${input}\n`),
    stderr: 'pipe',
    detached: true,
    timeout: 50_000,
    killSignal: 'SIGKILL',
  })
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()])
  return { status: await child.exited, stdout, stderr }
}
