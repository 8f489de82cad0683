import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import {
  decryptOriginal,
  encryptOriginal,
  recordedFile,
  recordedFiles,
  recordedPath,
} from '../support/original-file.ts'

const main = resolve(import.meta.dir, '../../src/main.ts')
const mnemonic = `${'abandon '.repeat(11)}about`
const ids = Array.from({ length: 9 }, (_, i) => `5111f86f-a35b-4472-93c1-be840a67640${i}`)
const [id = ''] = ids
/** The key 1 of secp256k1, a key that everybody knows. */
const keyOne = '1'.padStart(64, '0')

let home = ''
const at = (name: string) => join(home, name)
const vaultPath = '.tatumrc/wallet.dat'

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'kms-migrate-'))
  writeFileSync(at('new-password'), 'the new one\n', { mode: 0o600 })
})
afterEach(() => rmSync(home, { recursive: true }))

type Entry = Readonly<Record<string, unknown>>

function writeOriginal(
  entries: Readonly<Record<string, Entry>> | string,
  { name = 'old.dat', password = 'old pw' } = {},
): void {
  const text = typeof entries === 'string' ? entries : JSON.stringify(entries)
  writeFileSync(at(name), encryptOriginal(text, password), { mode: 0o600 })
  writeFileSync(at('old-password'), `${password}\n`, { mode: 0o600 })
}

function copyRecorded(file: string, name = 'old.dat'): string {
  const { password } = recordedFile(file)
  copyFileSync(recordedPath(file), at(name))
  chmodSync(at(name), 0o644)
  writeFileSync(at('old-password'), `${password}\n`, { mode: 0o600 })
  return password
}

async function kms(...args: readonly string[]) {
  const run = Bun.spawn([process.execPath, '--no-env-file', main, ...args], {
    cwd: home,
    env: { HOME: home, PATH: process.env['PATH'] ?? '' },
    stdin: 'ignore',
    stderr: 'pipe',
    timeout: 60_000,
  })
  const [stdout, stderr] = await Promise.all([run.stdout.text(), run.stderr.text()])
  return { status: await run.exited, stdout, stderr, warnings: stderr.split('\n').slice(0, -1) }
}

const migrate = (file = 'old.dat', ...more: readonly string[]) =>
  kms('migrate', file, '--from-password-file=old-password', '--password-file=new-password', ...more)

async function exported(): Promise<Readonly<Record<string, Entry>>> {
  const { stdout, status } = await kms('export', '--password-file=new-password')
  expect(status).toBe(0)
  return JSON.parse(stdout)
}

/** The members that every kind of wallet keeps, whatever they are called when printed. */
function essence({ mnemonic, privateKey, secret, chain, testnet }: Entry): Entry {
  return { mnemonic, key: privateKey ?? secret, chain, testnet }
}

const tally = (migrated: number, alreadyThere: number, notTaken: number) =>
  `${JSON.stringify({ migrated, alreadyThere, notTaken }, null, 2)}\n`

describe('migrate', () => {
  const whole = recordedFiles.filter(({ file }) => file !== 'nonascii.dat')

  test.each(whole)(
    'brings all wallets of $file over, in their order, and leaves it alone',
    async ({ file, entries }) => {
      const password = copyRecorded(file)
      const run = await migrate()
      expect(run.stdout).toBe(tally(entries, 0, 0))
      expect(run.status).toBe(0)
      const old = JSON.parse(decryptOriginal(readFileSync(at('old.dat')), password).toString())
      const now = await exported()
      expect(Object.keys(now)).toEqual(Object.keys(old))
      for (const [name, entry] of Object.entries(now)) {
        expect(essence(entry)).toEqual(essence(old[name]))
        expect(entry['xpub']).toBe(old[name].xpub)
      }
      expect(readFileSync(at('old.dat'))).toEqual(readFileSync(recordedPath(file)))
      expect(statSync(at('old.dat')).mode & 0o777).toBe(0o644)
      expect(run.stderr).not.toMatch(/abandon|volcano|sEd|not the one of its secret/)
      const summary = /EGLD address that the original printed/g
      expect(run.stderr.match(summary) ?? []).toHaveLength(file === 'allchains.dat' ? 1 : 0)
      expect(run.stderr.match(/others than its owner may read old\.dat/g)).toHaveLength(1)
    },
    60_000,
  )

  test('does not take a key that is none, and says so with status 3', async () => {
    copyRecorded('nonascii.dat')
    const run = await migrate()
    expect(run.status).toBe(3)
    expect(run.stdout).toBe(tally(1, 0, 1))
    expect(run.stderr).toContain(
      'warning: wallet e2b54d3f-73a8-49bf-922a-35aa16213a78 is not taken over: the private key is not in wallet import format (WIF)\n',
    )
    expect(run.stderr).not.toContain('cl\u00e9')
    expect(Object.keys(await exported())).toEqual(['bc61882c-e7b1-4a58-ad02-6e87edc518bf'])
  })

  test('counts what is there already, and refuses another wallet of the same id', async () => {
    const [, second = '', third = ''] = ids
    writeOriginal({
      [id]: { mnemonic, chain: 'ETH', testnet: false },
      [second]: { privateKey: keyOne, chain: 'ETH', testnet: false },
    })
    expect((await migrate()).stdout).toBe(tally(2, 0, 0))
    writeOriginal({
      [third]: { privateKey: `0x${keyOne}`, chain: 'ETH', testnet: false },
      [id]: { mnemonic, chain: 'ETH', testnet: false },
      [second]: { privateKey: `0x${keyOne}`, chain: 'ETH', testnet: false },
    })
    const run = await migrate()
    expect(run.stdout).toBe(tally(1, 1, 1))
    expect(run.status).toBe(3)
    expect(run.stderr).toContain(
      `wallet ${second} is not taken over: the vault has another wallet of this id\n`,
    )
    expect((await exported())[second]?.['privateKey']).toBe(keyOne)
  }, 30_000)

  test('warns of what is odd and takes it over as it is', async () => {
    const [first = '', second = '', third = ''] = ids
    const odd = 'this is not a mnemonic'
    writeOriginal({
      [first]: { mnemonic: odd, xpub: 'xpub6Another', chain: 'ETH', testnet: true },
      [second]: { mnemonic: `${mnemonic} `, chain: 'BTC', testnet: false },
      [third]: { privateKey: keyOne, address: '0xdead', chain: 'ETH', testnet: false },
    })
    const run = await migrate()
    expect(run.status).toBe(0)
    expect(run.warnings).toEqual([
      `tatum-kms: warning: wallet ${third}: its address in the old file is not the one of its secret`,
      `tatum-kms: warning: wallet ${second}: its mnemonic is not a valid BIP-39 mnemonic`,
      `tatum-kms: warning: wallet ${first}: its mnemonic is not a valid BIP-39 mnemonic`,
      `tatum-kms: warning: wallet ${first}: its xpub in the old file is not the one of its secret`,
      "tatum-kms: warning: never use a key that the original's getprivatekey printed for a private-key wallet: it is another one, known to everybody (wallets: 1)",
    ])
    const now = await exported()
    expect(now[first]?.['mnemonic']).toBe(odd)
    expect(now[second]?.['mnemonic']).toBe(`${mnemonic} `)
  })

  test('leaves out what cannot be kept, each with its reason', async () => {
    const good = { privateKey: keyOne, chain: 'ETH', testnet: false }
    const [a = '', b = '', c = '', d = '', e = '', f = '', g = '', h = ''] = ids
    const entries: readonly (readonly [string, Entry, string?])[] = [
      ['__proto__', good, 'its id is not a UUID in lower case'],
      [a.toUpperCase(), good, 'its id is not a UUID in lower case'],
      [a, { ...good, chain: 'E\u001b[2J' }, 'it does not say for which chain it is'],
      [b, { ...good, testnet: 'no' }, 'it does not say for which network it is'],
      [c, { chain: 'ETH', testnet: false }, 'it has neither a mnemonic nor a private key'],
      [d, { ...good, secret: 'x' }, 'it has two private keys'],
      [e, { ...good, mnemonic: 'あいこくしん' }, 'its mnemonic has letters outside ASCII'],
      [
        f,
        { ...good, privateKey: '0'.repeat(64) },
        'the private key is outside the range of its curve',
      ],
      [
        g,
        { chain: 'XRP', secret: 's'.repeat(5000), testnet: false },
        'its secret is longer than 4096 bytes',
      ],
      [h, good],
    ]
    const members = entries.map(
      ([name, entry]) => `${JSON.stringify(name)}:${JSON.stringify(entry)}`,
    )
    writeOriginal(`{${members.join(',')}}`)
    const run = await migrate()
    expect(run.stdout).toBe(tally(1, 0, 9))
    expect(run.status).toBe(3)
    const refusals = run.warnings.filter(line => line.includes('is not taken over'))
    expect(refusals.reverse().map(line => line.split(': ').at(-1))).toEqual(
      entries.map(([, , reason]) => reason).filter(reason => reason !== undefined),
    )
    expect(run.stderr).toContain('warning: entry 1 of the old file is not taken over')
    expect(run.stderr).not.toContain('\u001b')
    expect(Object.keys(await exported())).toEqual([h])
  })

  test('keeps wallets of a chain it does not know, and says so once', async () => {
    const [first = '', second = ''] = ids
    writeOriginal({
      [first]: { secret: 'sEdOne', address: 'rOne', chain: 'NEWCHAIN', testnet: false },
      [second]: { mnemonic, privateKey: 'two', address: 'b', chain: 'NEWCHAIN', testnet: true },
    })
    const run = await migrate()
    expect(run.stdout).toBe(tally(2, 0, 0))
    expect(run.warnings[0]).toBe(
      'tatum-kms: warning: NEWCHAIN wallets are kept as they were: this version cannot check or use them (wallets: 2)',
    )
    const now = await exported()
    expect(essence(now[first] ?? {})).toEqual({ key: 'sEdOne', chain: 'NEWCHAIN', testnet: false })
    expect(essence(now[second] ?? {})).toEqual({
      mnemonic,
      key: 'two',
      chain: 'NEWCHAIN',
      testnet: true,
    })
  })

  test('tells failures apart and touches nothing', async () => {
    copyRecorded('simple.dat')
    writeFileSync(at('old-password'), 'wrong\n')
    const wrong = await migrate()
    expect(wrong).toMatchObject({ status: 12, stdout: '' })
    expect(wrong.stderr).toContain(
      'error: wrong password for the old wallet file, or the file is damaged\n',
    )
    writeFileSync(at('old.dat'), readFileSync(at('old.dat')).subarray(0, 1001))
    expect(await migrate()).toMatchObject({ status: 13, stdout: '' })
    expect(await migrate('none.dat')).toMatchObject({ status: 10, stdout: '' })
    chmodSync(at('old-password'), 0o644)
    expect(await migrate()).toMatchObject({ status: 15, stdout: '' })
    expect(await kms('migrate', 'old.dat', '--password-file=new-password')).toMatchObject({
      status: 2,
    })
    expect(existsSync(at('.tatumrc'))).toBe(false)
  }, 30_000)
})

describe('migrate in place', () => {
  const names = () => readdirSync(at('.tatumrc')).sort()

  beforeEach(() => mkdirSync(at('.tatumrc'), { mode: 0o755 }))

  test('puts the vault where the old file was and keeps that beside', async () => {
    copyRecorded('simple.dat', vaultPath)
    const run = await migrate(vaultPath)
    expect(run).toMatchObject({ status: 0, stdout: tally(4, 0, 0) })
    expect(names()).toEqual(['wallet.dat', 'wallet.dat.lock', 'wallet.dat.original'])
    expect(readFileSync(at(`${vaultPath}.original`))).toEqual(
      readFileSync(recordedPath('simple.dat')),
    )
    for (const name of [vaultPath, `${vaultPath}.original`]) {
      expect(statSync(at(name)).mode & 0o777).toBe(0o600)
    }
    expect(Object.keys(await exported())).toHaveLength(4)
    expect(await migrate(vaultPath)).toMatchObject({ status: 13, stdout: '' })
    expect(await migrate(`${vaultPath}.original`)).toMatchObject({ stdout: tally(0, 4, 0) })
  }, 30_000)

  test('is refused while another file is kept there', async () => {
    copyRecorded('simple.dat', vaultPath)
    writeFileSync(at(`${vaultPath}.original`), 'mine', { mode: 0o600 })
    expect(await migrate(vaultPath)).toMatchObject({ status: 1, stdout: '' })
    expect(readFileSync(at(`${vaultPath}.original`), 'utf8')).toBe('mine')
    expect(readFileSync(at(vaultPath))).toEqual(readFileSync(recordedPath('simple.dat')))
  })

  test('goes on where a run was cut off', async () => {
    copyRecorded('simple.dat', vaultPath)
    copyFileSync(at(vaultPath), at(`${vaultPath}.original`))
    chmodSync(at(`${vaultPath}.original`), 0o600)
    for (const end of ['migrating', 'migrating.lock']) {
      writeFileSync(at(`${vaultPath}.${end}`), 'half of a vault')
    }
    expect(await migrate(vaultPath)).toMatchObject({ status: 0, stdout: tally(4, 0, 0) })
    expect(names()).toEqual(['wallet.dat', 'wallet.dat.lock', 'wallet.dat.original'])
  })

  test('leaves everything as it was when the new password cannot be had', async () => {
    copyRecorded('simple.dat', vaultPath)
    writeFileSync(at('new-password'), '')
    expect(await migrate(vaultPath)).toMatchObject({ status: 2, stdout: '' })
    expect(names()).toEqual(['wallet.dat', 'wallet.dat.lock'])
    expect(readFileSync(at(vaultPath))).toEqual(readFileSync(recordedPath('simple.dat')))
  })
})
