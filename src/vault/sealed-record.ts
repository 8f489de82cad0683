import { seal, unseal } from '../secret/seal.ts'
import type { Secret } from '../secret/secret.ts'
import type { VaultKeys } from './envelope.ts'
import { damaged } from './header.ts'
import { recordAad, recordAt, type WalletInfo, type WalletRecord } from './records.ts'
import { decodeWalletSecret, encodeWalletSecret, type WalletSecret } from './wallet-secret.ts'

/** The key that seals, and the vault that the seals are bound to. */
export type Sealer = { readonly keys: Pick<VaultKeys, 'record'>; readonly vaultId: Uint8Array }

type Part = 'secret' | 'node'

export function sealRecord(
  { keys, vaultId }: Sealer,
  info: WalletInfo,
  secret: WalletSecret,
  node: Secret | undefined,
): WalletRecord {
  using encoded = encodeWalletSecret(secret)
  const sealPart = (part: Part, bytes: Uint8Array): Uint8Array =>
    seal(keys.record, bytes, recordAad(vaultId, info, part))
  const sealedSecret = encoded.use(bytes => sealPart('secret', bytes))
  const sealedNode = node?.use(bytes => sealPart('node', bytes))
  return { info, sealedSecret, ...(sealedNode && { sealedNode }) }
}

/** The wallet's secret in locked memory; the caller disposes of it. */
export function openSecret(sealer: Sealer, record: WalletRecord): WalletSecret {
  using encoded = openPart(sealer, record, 'secret')
  return decodeWalletSecret(encoded)
}

/** The account node of a mnemonic wallet; the caller disposes of it. */
export function openNode(sealer: Sealer, record: WalletRecord): Secret {
  return openPart(sealer, record, 'node')
}

/** Throws unless both sealed parts of the record at each of `starts` open. */
export function proveRecords(sealer: Sealer, body: Uint8Array, starts: Iterable<number>): void {
  for (const start of starts) {
    const record = recordAt(body, start)
    openSecret(sealer, record)[Symbol.dispose]()
    if (record.sealedNode !== undefined) openNode(sealer, record).wipe()
  }
}

function openPart({ keys, vaultId }: Sealer, record: WalletRecord, part: Part): Secret {
  const { info, sealedSecret, sealedNode } = record
  const sealed = part === 'secret' ? sealedSecret : sealedNode
  const opened = sealed && unseal(keys.record, sealed, recordAad(vaultId, info, part))
  if (opened === undefined) throw damaged(`the ${part} of wallet ${info.id} does not open`)
  return opened
}
