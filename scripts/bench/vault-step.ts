/**
 * One step of the vault's benchmark in a process of its own, so that each has its own peak memory:
 * `make FILE WALLETS KIND CHAINS`, `open|add|list FILE` or `scrypt`. Answers a `VaultRun`.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { realDisk } from '../../src/base/disk.ts'
import type { WalletKind } from '../../src/base/model.ts'
import { defaultCost, scrypt } from '../../src/secret/kdf.ts'
import { seal } from '../../src/secret/seal.ts'
import { type Secret, secretFrom } from '../../src/secret/secret.ts'
import { createVaultState, sealEnvelope, type VaultKeys } from '../../src/vault/envelope.ts'
import {
  appendRecords,
  emptyBody,
  recordAad,
  type WalletInfo,
  type WalletRecord,
} from '../../src/vault/records.ts'
import { changeVault, openVault, type VaultPlace } from '../../src/vault/vault.ts'
import { encodeWalletSecret, walletSecret } from '../../src/vault/wallet-secret.ts'
import type { VaultRun } from './vault.ts'

const [step = '', path = '', wallets = '0', kind = 'key', chains = 'ETH'] = process.argv.slice(2)
const chainList = chains.split(',')
let made = 0
const password = secretFrom(Buffer.from('a password for the benchmark'))
const place: VaultPlace = { disk: realDisk, path, lockWaitMs: 0 }

const steps: Readonly<Record<string, () => unknown>> = {
  make: () => makeVault(Number(wallets), kind === 'mnemonic' ? 'mnemonic' : 'key'),
  open: () => openVault(place, password)[Symbol.dispose](),
  add: () =>
    changeVault(
      place,
      password,
      draft => draft.add({ ...publicFacts('key'), secret: someSecret('key') }),
      {
        create: false,
        now: Date.now(),
      },
    ),
  scrypt: () => {},
  list() {
    using vault = openVault(place, password)
    let letters = 0
    for (const { id } of vault.list()) letters += id.length
    return letters
  },
}

const work = steps[step]
if (work === undefined) throw new Error(`no step ${step}`)
const scryptMs = await time(() => scrypt(password, randomBytes(32), defaultCost).wipe())
const ms = await time(work)
// After the step: its memory is not to be seen in the peak.
const peak = peakMb()
const rawMs = step === 'open' || step === 'add' ? await timeRaw(statSync(path).size) : 0
console.log(JSON.stringify({ scryptMs, rawMs, ms, peakMb: peak } satisfies VaultRun))

/** What any program pays that keeps `size` bytes of wallets as encrypted JSON. */
async function timeRaw(size: number): Promise<number> {
  const wallet = { ...publicFacts('key'), id: crypto.randomUUID(), secret: textOf(90) }
  const count = Math.ceil(size / JSON.stringify(wallet).length)
  const text = JSON.stringify(Array.from({ length: count }, () => wallet))
  const [key, nonce] = [randomBytes(32), randomBytes(12)]
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  const sealed = Buffer.concat([cipher.update(text), cipher.final()])
  const tag = cipher.getAuthTag()
  return await time(() => {
    const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAuthTag(tag)
    return JSON.parse(Buffer.concat([decipher.update(sealed), decipher.final()]).toString())
  })
}

async function time(run: () => unknown): Promise<number> {
  const startedAt = Bun.nanoseconds()
  await run()
  return (Bun.nanoseconds() - startedAt) / 1e6
}

function peakMb(): number {
  const found = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
  return Number(found) / 1024
}

/** Straight to the file: what is measured is not how it came to be. */
function makeVault(count: number, of: WalletKind): void {
  const { state, keys } = createVaultState(password, { cost: defaultCost, label: '', now: 0 })
  using _keys = keys
  let body = emptyBody
  for (let at = 0; at < count; at += 50_000) {
    const more = Math.min(50_000, count - at)
    body = appendRecords(
      body,
      Array.from({ length: more }, () => sealedRecord(keys, state.vaultId, of)),
    )
  }
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  writeFileSync(path, sealEnvelope({ ...state, generation: 1n }, keys, body), { mode: 0o600 })
}

function sealedRecord(keys: VaultKeys, vaultId: Uint8Array, of: WalletKind): WalletRecord {
  const chain = chainList[made++ % chainList.length] ?? 'ETH'
  const info: WalletInfo = { ...publicFacts(of), chain, id: crypto.randomUUID(), createdAt: 0 }
  using secret = someSecret(of)
  using encoded = encodeWalletSecret(secret)
  const sealed = (part: 'secret' | 'node', content: Secret): Uint8Array =>
    content.use(bytes => seal(keys.record, bytes, recordAad(vaultId, info, part)))
  const sealedSecret = sealed('secret', encoded)
  if (of === 'key') return { info, sealedSecret }
  using node = secretFrom(randomBytes(64))
  return { info, sealedSecret, sealedNode: sealed('node', node) }
}

/** As long as the real ones. */
function publicFacts(of: WalletKind): Omit<WalletInfo, 'id' | 'createdAt'> {
  const facts = { chain: 'ETH', network: 'mainnet', kind: of } as const
  if (of === 'mnemonic') return { ...facts, path: "m/44'/60'/0'/0", xpub: textOf(111) }
  return { ...facts, address: `0x${textOf(40)}`, publicKey: randomBytes(33) }
}

function someSecret(of: WalletKind) {
  if (of === 'key') return walletSecret({ keyText: secretFrom(Buffer.from(textOf(64))) })
  return walletSecret({ mnemonic: secretFrom(Buffer.from(textOf(164))) })
}

function textOf(length: number): string {
  return randomBytes(length).toString('hex').slice(0, length)
}
