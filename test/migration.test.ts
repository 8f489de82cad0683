import { afterAll, beforeAll, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { HDKey } from '@scure/bip32'
import { publicKeyToAddress } from 'viem/accounts'
import { type FakeTatum, startFakeTatum } from './support/fake-tatum.ts'
import { decryptOriginal, recordedFile, recordedPath } from './support/original-file.ts'
import { ethPayment } from './support/payments.ts'
import { binaryUnderTest } from './support/script.ts'

const guide = readFileSync(join(import.meta.dir, '../docs/migration.md'), 'utf8')
const { password } = recordedFile('allchains.dat')
const file = readFileSync(recordedPath('allchains.dat'))
const old: Readonly<Record<string, Entry>> = JSON.parse(decryptOriginal(file, password).toString())

const secrets = Object.values(old)
  .flatMap(({ mnemonic, privateKey, secret }) => [mnemonic, privateKey, secret])
  .filter(text => text !== undefined)

type Entry = { readonly chain: string; readonly testnet: boolean } & Readonly<
  Partial<Record<'xpub' | 'address' | 'mnemonic' | 'privateKey' | 'secret', string>>
>

let folder = ''
let mainnet: FakeTatum
let testnet: FakeTatum

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kms-migration-'))
  mkdirSync(join(folder, '.tatumrc'))
  writeFileSync(join(folder, '.tatumrc/wallet.dat'), file)
  writeFileSync(join(folder, 'addresses.txt'), knownAddresses().join('\n'))
  const program = binaryUnderTest.map(word => `'${word}'`).join(' ')
  writeFileSync(join(folder, 'tatum-kms'), `#!/bin/sh\nexec ${program} "$@"\n`, { mode: 0o755 })
  mainnet = startFakeTatum({ network: 'mainnet' })
  testnet = startFakeTatum({ network: 'testnet' })
})
afterAll(async () => {
  await Promise.all([mainnet.stop(), testnet.stop()])
  rmSync(folder, { recursive: true })
})

/** A command of the guide, with what it prints there. */
type Step = { readonly command: string; readonly printed: string }

const steps: readonly Step[] = [...guide.matchAll(/```console\n([^`]*)```/g)].flatMap(
  ([, block = '']) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map(text => {
        const [command = '', ...printed] = text.trimEnd().split('\n')
        return { command, printed: printed.join('\n') }
      }),
)

test.skipIf(process.platform === 'win32')(
  'the guide leads from the original’s file to a payment, as it is printed',
  async () => {
    const paid = [pay(testnet, 1, true), pay(mainnet, 2, false)]
    expect(steps.length).toBeGreaterThan(12)
    for (const { command, printed } of steps) {
      const { said, status, stdout } = await run(command)
      expect({ command, said, status }).toEqual({ command, said, status: 0 })
      if (printed !== '' || command.startsWith('while')) expect(stdout.trimEnd()).toBe(printed)
      if (command.includes('tx list')) expect(stdout).toMatch(/\bsent\b/)
    }
    expect(paid.map(({ api, id }) => api.state.settled.get(id)?.length)).toEqual([1, 1])
    const asked = mainnet.state.requests.filter(({ path }) => path.startsWith('/approve/'))
    expect(asked.map(({ path }) => path)).toContain(`/approve/${paid[1]?.id}`)
    expect(digestOf('.tatumrc/wallet.dat')).toBe(digestOf('kms/original.dat'))
    expect(existsSync(join(folder, 'kms/old-password'))).toBe(false)
    const listed = readFileSync(join(folder, 'wallets.json'), 'utf8')
    expect(secrets.filter(secret => listed.includes(secret))).toEqual([])

    await findsAnAddressThatDiffers()
  },
  120_000,
)

/** A comparison that finds nothing has to be able to find something. */
async function findsAnAddressThatDiffers(): Promise<void> {
  const [line = ''] = knownAddresses()
  const wrong = line.replace(/.$/, last => (last === '1' ? '2' : '1'))
  writeFileSync(join(folder, 'addresses.txt'), `${wrong}\n`)
  const comparison = steps.find(({ command }) => command.startsWith('while'))?.command ?? ''
  const { stdout } = await run(comparison)
  expect(stdout).toBe(`differs: ${line.split(' ').slice(0, 2).join(' ')}\n`)
}

async function run(command: string) {
  const tatum = command.includes('--testnet') ? testnet : mainnet
  const child = Bun.spawn(['bash', '-c', command], {
    cwd: folder,
    env: {
      HOME: folder,
      PATH: `${folder}:${process.env['PATH']}`,
      APPROVER: mainnet.approverUrl,
      TATUM_API_KEY: tatum.apiKey,
      TATUM_API_URL: tatum.url,
      TATUM_KMS_VET_URL: tatum.url,
      TATUM_KMS_FLOW_URL: tatum.url,
    },
    stdin: command.includes('cat >') ? Buffer.from(`${password}\n`) : 'ignore',
    stderr: 'pipe',
    timeout: 60_000,
  })
  const [stdout, said] = await Promise.all([child.stdout.text(), child.stderr.text()])
  return { stdout, said, status: await child.exited }
}

function pay(api: FakeTatum, n: number, isTest: boolean) {
  return { api, id: api.queue({ ...ethPayment(n), hashes: [idOfWallet('ETH', isTest)] }) }
}

function idOfWallet(chain: string, isTest: boolean): string {
  const found = Object.entries(old).find(
    ([, entry]) => entry.chain === chain && entry.testnet === isTest,
  )
  if (found === undefined) throw new Error(`no ${chain} wallet`)
  return found[0]
}

/** As the original knew them: what it stored, and for Ethereum what its xpub comes to. */
function knownAddresses(): readonly string[] {
  const eth = idOfWallet('ETH', false)
  const key = HDKey.fromExtendedKey(old[eth]?.xpub ?? '').deriveChild(3).publicKey
  if (key === null) throw new Error('no public key')
  const point = secp256k1.Point.fromBytes(key).toHex(false)
  const single = ['XRP', 'XLM', 'ALGO'].map(chain => idOfWallet(chain, false))
  return [
    `${eth} 3 ${publicKeyToAddress(`0x${point}`).toLowerCase()}`,
    ...single.map(id => `${id} - ${old[id]?.address}`),
  ]
}

function digestOf(name: string): string {
  return createHash('sha256')
    .update(readFileSync(join(folder, name)))
    .digest('hex')
}
