import { describe, expect, test } from 'bun:test'
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { binaryUnderTest } from '../support/script.ts'
import { idOf, openTestVault, storeWallets, testPassword } from '../support/test-vault.ts'

// The built program under strace, killed on the way into each system call that touches files, from
// the lock of the vault to its end: the old vault or the new one, and every later command works.

const strace = Bun.which('strace')
const traced = 'openat,write,pwrite64,fsync,fdatasync,rename,unlink,fchown,fchmod,ftruncate'

const generate = ['generatemanagedwallet', 'ETH', '--kdf-cost=14']

/** The commands that write in different ways: `.bak` kept, and old copies overwritten. */
const commands = (known: string): readonly (readonly [string, readonly string[]])[] => [
  ['a wallet is added', generate],
  ['a wallet is removed', ['removewallet', known]],
]

if (strace === null) process.stderr.write('strace is not installed: no kills at system calls\n')

describe.skipIf(strace === null)('killed at any system call', () => {
  test.each(commands(idOf(1)))(
    'while %s, the vault is the old or the new one',
    async (_, args) => {
      using home = await makeVault()
      const points = await callsOf(home.folder, args)
      expect(points.length).toBeGreaterThan(10)
      const seen = { old: 0, new: 0 }
      for (const { call, nth } of points) {
        using copy = copyOf(home.folder)
        const before = idsIn(copy.folder)
        await run(copy.folder, args, [`--inject=${call}:signal=KILL:when=${nth}`])
        const after = idsIn(copy.folder)
        const isOld = Bun.deepEquals(after, before)
        if (!isOld) expect(Math.abs(after.length - before.length)).toBe(1)
        seen[isOld ? 'old' : 'new']++
        await run(copy.folder, generate, [])
        expect(idsIn(copy.folder)).toHaveLength(after.length + 1)
      }
      const [what] = args
      process.stderr.write(
        `${what}: killed at ${points.length} system calls: ${seen.old} old, ${seen.new} new\n`,
      )
      expect(Math.min(seen.old, seen.new)).toBeGreaterThan(0)
    },
    300_000,
  )
})

type Point = { readonly call: string; readonly nth: number }

/** The main thread's calls from the lock on, each with its place among all its calls of that name. */
async function callsOf(folder: string, args: readonly string[]): Promise<readonly Point[]> {
  using copy = copyOf(folder)
  const log = join(copy.folder, 'trace')
  await run(copy.folder, args, [`--output=${log}`])
  const lines = readFileSync(log, 'utf8').split('\n')
  const lock = lines.findIndex(line => line.includes('wallet.dat.lock'))
  const [thread] = lines[lock]?.split(' ') ?? []
  const counts = new Map<string, number>()
  return lines.flatMap((line, at) => {
    const [, by, call] = /^(\d+) +(\w+)\(/.exec(line) ?? []
    if (by !== thread || call === undefined) return []
    const nth = (counts.get(call) ?? 0) + 1
    counts.set(call, nth)
    return at < lock ? [] : [{ call, nth }]
  })
}

/** Runs to its end, whatever that is. */
async function run(
  folder: string,
  args: readonly string[],
  options: readonly string[],
): Promise<void> {
  const files = [`--path=${folder}/wallet.dat`, `--password-file=${folder}/password`]
  const tracing = ['strace', '--follow-forks', '--quiet=all', `--trace=${traced}`, ...options]
  const command = [...binaryUnderTest, ...args, ...files]
  const child = Bun.spawn([...tracing, ...command], {
    env: { PATH: process.env['PATH'] ?? '' },
    stdout: 'ignore',
    stderr: 'ignore',
    timeout: 60_000,
    killSignal: 'SIGKILL',
  })
  await child.exited
}

function idsIn(folder: string): readonly string[] {
  using vault = openTestVault(folder)
  return [...vault.ids()].toSorted()
}

type Home = Disposable & { readonly folder: string }

async function makeVault(): Promise<Home> {
  const home = emptyHome()
  writeFileSync(join(home.folder, 'password'), `${testPassword}\n`, { mode: 0o600 })
  const words = `${'abandon '.repeat(11)}about`
  const wallet = { chain: 'ETH', network: 'mainnet', mnemonic: words } as const
  await storeWallets(home.folder, [
    { ...wallet, id: idOf(1) },
    { ...wallet, id: idOf(2) },
  ])
  return home
}

function copyOf(folder: string): Home {
  const copy = emptyHome()
  cpSync(folder, copy.folder, { recursive: true })
  for (const name of ['password', 'wallet.dat']) chmodSync(join(copy.folder, name), 0o600)
  return copy
}

function emptyHome(): Home {
  const folder = mkdtempSync(join(tmpdir(), 'kms-syscalls-'))
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) }
}
