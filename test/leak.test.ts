import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { pbkdf2Sync } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { realDisk } from '../src/base/disk.ts'
import { commands } from '../src/cli/commands.ts'
import { runProgram, startProgram } from './support/program.ts'
import { binaryUnderTest } from './support/script.ts'
import { tracesBelow, tracesIn } from './support/traces.ts'

/** From test/vectors/wallets.json, with its keys 0 on both chains. */
const mnemonic =
  'void come effort suffer camp survey warrior heavy shoot primary clutch crush open amazing screen patrol group space point ten exist slush involve unfold'
const key = `0x${'5ec7e7'.repeat(10)}abcd`
const password = 'marked-password-5f1c90ab'
const otherPassword = 'another-marked-word-77e0d2'
const marked = {
  mnemonic,
  key,
  'bytes of the key': Buffer.from(key.slice(2), 'hex'),
  password,
  'other password': otherPassword,
  seed: pbkdf2Sync(mnemonic, 'mnemonic', 2048, 64, 'sha512'),
}

let home = ''
/** Where passwords lie as files; not a part of the home that is searched. */
let keep = ''
let id = ''
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'kms-leak-home-'))
  keep = mkdtempSync(join(tmpdir(), 'kms-leak-keep-'))
  writeFileSync(join(keep, 'pw'), `${password}\n`, { mode: 0o600 })
  writeFileSync(join(keep, 'other'), `${otherPassword}\n`, { mode: 0o600 })
  const args = ['storemanagedwallet', 'BTC', '--kdf-cost=14', `--password-file=${keep}/pw`]
  const stored = await runProgram(args, { home, input: `${mnemonic}\n` })
  expect(stored.status).toBe(0)
  expect(tracesIn(stored.stdout + stored.stderr, marked)).toEqual([])
  id = JSON.parse(stored.stdout).signatureId
  plantBadVaults()
})
afterAll(() => {
  for (const folder of [home, keep]) rmSync(folder, { recursive: true })
})

const vault = () => join(home, '.tatumrc/wallet.dat')

function plantBadVaults(): void {
  mkdirSync(join(home, 'bad'), { mode: 0o700 })
  const copy = (name: string) => {
    copyFileSync(vault(), join(home, 'bad', name))
    return join(home, 'bad', name)
  }
  truncateSync(copy('cut'), 300)
  chmodSync(copy('shared'), 0o644)
  const flipped = readFileSync(vault())
  flipped[flipped.length - 1] = (flipped.at(-1) ?? 0) ^ 1
  writeFileSync(copy('flipped'), flipped)
}

type Failing = {
  readonly args: readonly string[]
  readonly input?: string
  readonly status: number
  readonly secret?: string
}

const storeWallet = (...more: readonly string[]) => ['storemanagedwallet', 'BTC', ...more]
const storeKey = (chain: string, ...more: readonly string[]) => [
  'storemanagedprivatekey',
  chain,
  ...more,
]
const words = mnemonic.split(' ')

const failing: Readonly<Record<string, Failing>> = {
  'a wrong password': { args: storeWallet(), input: mnemonic, status: 12, secret: otherPassword },
  'a word that is none': { args: storeWallet(), input: `${mnemonic}x`, status: 2 },
  'a word too many': { args: storeWallet(), input: `${mnemonic} zoo`, status: 2 },
  'a word missing': { args: storeWallet(), input: words.slice(1).join(' '), status: 2 },
  'swapped words': { args: storeWallet(), input: words.toReversed().join(' '), status: 2 },
  'a mnemonic in capitals': { args: storeWallet(), input: mnemonic.toUpperCase(), status: 2 },
  'a mnemonic that goes on and on': { args: storeWallet(), input: mnemonic.repeat(50), status: 2 },
  'a mnemonic as a key': { args: storeKey('ETH'), input: mnemonic, status: 2 },
  'a key as a mnemonic': { args: storeWallet(), input: key, status: 2 },
  'a key of another chain': { args: storeKey('BTC'), input: key, status: 2 },
  'a digit too many': { args: storeKey('ETH'), input: `${key}0`, status: 2 },
  'a letter that is no digit': { args: storeKey('ETH'), input: `${key.slice(0, -1)}g`, status: 2 },
  'the password as a key': { args: storeKey('ETH'), input: password, status: 2 },
  'a cut vault': { args: storeWallet('--path=bad/cut'), input: mnemonic, status: 13 },
  'a flipped bit': { args: storeKey('ETH', '--path=bad/flipped'), input: key, status: 13 },
  'a shared vault': { args: storeKey('ETH', '--path=bad/shared'), input: key, status: 15 },
  'a file for a folder': { args: storeKey('ETH', '--path=bad/cut/x'), input: key, status: 1 },
  'an unknown chain': { args: ['storemanagedwallet', 'btc'], input: mnemonic, status: 2 },
  'an unknown wallet': { args: ['getmanagedwallet', 'x'], status: 16 },
  'an unknown wallet to remove': { args: ['removewallet', 'x'], status: 16 },
  'a missing vault': { args: ['export', '--path=bad/none'], status: 10 },
  'a key as an argument': { args: storeKey('ETH', key), status: 2 },
  'a key as a chain': { args: storeKey(key), status: 2 },
  'a key as an option': { args: storeKey('ETH', `--${key}`), status: 2 },
  'a key as a command': { args: [key], status: 2 },
  'a key as an id': { args: ['getaddress', key, '0'], status: 16 },
  'a mnemonic as an index': { args: ['getprivatekey', 'x', mnemonic], status: 2 },
  'a key as a descriptor': { args: ['export', `--password-fd=${key}`], status: 2 },
  'a password as a file': { args: ['export', `--password-file=${password}`], status: 2 },
}

describe('nothing of a secret is shown after', () => {
  test.each(Object.entries(failing))('%s', async (_, { args, input = '', status, secret }) => {
    const text = secret ?? password
    const file = text === password ? 'pw' : 'other'
    const byFile = args.some(arg => arg.startsWith('--password'))
      ? args
      : [...args, `--password-file=${join(keep, file)}`]
    const runs = [
      await runProgram(args[0] === key ? args : byFile, { home, input }),
      await runProgram(args, { home, input, env: { TATUM_KMS_PASSWORD: text } }),
    ]
    for (const run of runs) {
      expect(run).toMatchObject({ status, stdout: '' })
      expect(tracesIn(run.stderr, marked)).toEqual([])
    }
  })

  test('a lock that another process holds', async () => {
    const unlock = realDisk.tryLock(`${vault()}.lock`)
    try {
      const args = [...storeWallet('--lock-wait=0'), `--password-file=${keep}/pw`]
      const { status, stdout, stderr } = await runProgram(args, { home, input: mnemonic })
      expect({ status, stdout }).toEqual({ status: 11, stdout: '' })
      expect(tracesIn(stderr, marked)).toEqual([])
    } finally {
      unlock?.()
    }
  })

  test('a disk on which no file may grow', async () => {
    const args = [...storeWallet('--path=small/wallet.dat'), `--password-file=${keep}/pw`]
    const limited = ['sh', '-c', 'ulimit -f 0; exec "$@"', 'sh', ...binaryUnderTest, ...args]
    const run = Bun.spawn(limited, {
      cwd: home,
      env: { HOME: home, PATH: process.env['PATH'] ?? '' },
      stdin: Buffer.from(mnemonic),
      stderr: 'pipe',
    })
    const stderr = await run.stderr.text()
    expect(await run.exited).toBe(1)
    expect(stderr).toMatch(/^tatum-kms: error: cannot write .* left it as it was: EFBIG$/m)
    expect(tracesIn(stderr, marked)).toEqual([])
    expect(readdirSync(join(home, 'small'))).toEqual(['wallet.dat.lock'])
  })
})

test.each(commands.map(({ name }) => name))('help of %s shows nothing of a secret', async name => {
  const env = { TATUM_KMS_PASSWORD: password }
  const { status, stdout, stderr } = await runProgram([name, '--help'], { home, env, input: key })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(tracesIn(stdout, marked)).toEqual([])
})

test('a secret that is asked for is shown, and found by these tests', async () => {
  const args = ['getmanagedwallet', id, `--password-file=${keep}/pw`]
  const { stdout } = await runProgram(args, { home })
  expect(tracesIn(stdout, marked)).not.toEqual([])
  const forms = ['hex', 'base64', 'utf16le'] as const
  for (const form of forms) {
    const hidden = form === 'utf16le' ? Buffer.from(key, form) : Buffer.from(key).toString(form)
    expect(tracesIn(Buffer.concat([Buffer.from('x'), Buffer.from(hidden)]), marked)).not.toEqual([])
  }
})

/** Kept until now: what the commands above have left. */
test('no file of the home holds anything of a secret', () => {
  expect(tracesBelow(home, marked)).toEqual([])
  expect(tracesBelow(keep, marked)).not.toEqual([])
})

const shown = (pid: number, name: string) => readFileSync(`/proc/${pid}/${name}`)

/** Until the command has taken its password out of the environment, or for ten seconds. */
async function untilTaken(pid: number): Promise<void> {
  for (let waited = 0; waited < 10_000; waited += 20) {
    await Bun.sleep(20)
    const environment = shown(pid, 'environ')
    if (environment.includes('TATUM_KMS_PASSWORD=') && !environment.includes(password)) return
  }
  throw new Error('the password is still in the environment')
}

describe.if(process.platform === 'linux')('the environment a running command shows', () => {
  test('has no password while it waits for the lock of the vault', async () => {
    const unlock = realDisk.tryLock(`${vault()}.lock`)
    const run = startProgram(['generatemanagedwallet', 'ETH'], {
      home,
      env: { TATUM_KMS_PASSWORD: password, OTHER: 'stays' },
    })
    try {
      await untilTaken(run.pid)
      await Bun.sleep(200)
      expect(run.exitCode).toBeNull()
      expect(tracesIn(shown(run.pid, 'environ'), marked)).toEqual([])
      expect(tracesIn(shown(run.pid, 'cmdline'), marked)).toEqual([])
      expect(shown(run.pid, 'environ').includes('OTHER=stays')).toBe(true)
    } finally {
      unlock?.()
    }
    expect(await run.exited).toBe(0)
  })

  test('has no password while it waits for a key on stdin', async () => {
    const { readable, writable } = new TransformStream<Uint8Array>()
    const run = startProgram(['storemanagedprivatekey', 'ETH'], {
      home,
      env: { TATUM_KMS_PASSWORD: password },
      input: readable,
    })
    await untilTaken(run.pid)
    expect(run.exitCode).toBeNull()
    const writer = writable.getWriter()
    await writer.write(Buffer.from(`${key}\n`))
    await writer.close()
    expect(await run.exited).toBe(0)
    expect(tracesBelow(home, marked)).toEqual([])
  })
})
