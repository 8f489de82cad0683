/**
 * One step of the vault's benchmark in a process of its own, so that each has its own peak memory:
 * `make FILE WALLETS KIND`, or `open|add|list FILE`. Answers `{scryptMs, ms, peakMb}`.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { realDisk } from '../src/base/disk.ts'
import type { WalletKind } from '../src/base/model.ts'
import { defaultCost, scrypt } from '../src/secret/kdf.ts'
import { seal } from '../src/secret/seal.ts'
import { type Secret, secretFrom } from '../src/secret/secret.ts'
import { createVaultState, sealEnvelope, type VaultKeys } from '../src/vault/envelope.ts'
import {
  appendRecords,
  emptyBody,
  recordAad,
  type WalletInfo,
  type WalletRecord,
} from '../src/vault/records.ts'
import { changeVault, openVault, type VaultPlace } from '../src/vault/vault.ts'
import { encodeWalletSecret, walletSecret } from '../src/vault/wallet-secret.ts'

const [step = '', path = '', wallets = '0', kind = 'key'] = process.argv.slice(2)
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
console.log(JSON.stringify({ scryptMs, ms, peakMb: peakMb() }))

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
  for (let made = 0; made < count; made += 50_000) {
    const more = Math.min(50_000, count - made)
    body = appendRecords(
      body,
      Array.from({ length: more }, () => sealedRecord(keys, state.vaultId, of)),
    )
  }
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  writeFileSync(path, sealEnvelope({ ...state, generation: 1n }, keys, body), { mode: 0o600 })
}

function sealedRecord(keys: VaultKeys, vaultId: Uint8Array, of: WalletKind): WalletRecord {
  const info: WalletInfo = { ...publicFacts(of), id: crypto.randomUUID(), createdAt: 0 }
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
