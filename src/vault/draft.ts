import { uuidBytes, uuidText } from '../base/bytes.ts'
import { KmsError } from '../base/errors.ts'
import type { WalletId } from '../base/model.ts'
import { randomUuid } from '../secret/random.ts'
import type { Secret } from '../secret/secret.ts'
import {
  appendRecords,
  indexBody,
  recordAt,
  type WalletInfo,
  type WalletRecord,
  withoutRecord,
} from './records.ts'
import { type Sealer, sealRecord } from './sealed-record.ts'
import type { WalletSecret } from './wallet-secret.ts'

/** A wallet on its way into the vault. `id` only where one is kept (migration). */
export type NewWallet = Omit<WalletInfo, 'id' | 'createdAt'> & {
  readonly id?: WalletId
  readonly secret: WalletSecret
  readonly node?: Secret
}

/** What a change may do to the vault before it is written, all at once. */
export type Draft = {
  find(id: WalletId): WalletInfo | undefined
  add(wallet: NewWallet): WalletInfo
  remove(id: WalletId): void
}

type StartedDraft = { readonly draft: Draft; contents(): Changed | undefined }

/** A body with all changes in it, and what became of the old one's wallets. */
export type Changed = {
  readonly body: Uint8Array
  readonly added: readonly WalletId[]
  readonly removed: boolean
}

/** Changes over an opened body; `contents` answers the new one, or undefined when nothing changed. */
export function startDraft(sealer: Sealer, opened: Uint8Array, now: number): StartedDraft {
  const added = new Map<WalletId, WalletRecord>()
  let body = opened
  let index = indexBody(body)
  let removed = false

  const draft: Draft = {
    find(id) {
      const start = index.get(id)
      if (start !== undefined) return recordAt(body, start).info
      return added.get(id)?.info
    },
    add(wallet) {
      const { secret, node, id = randomUuid(), ...facts } = wallet
      refuseStrangeId(id)
      if (draft.find(id)) throw new KmsError('usage', `the vault already has a wallet ${id}`)
      const info: WalletInfo = { ...facts, id, createdAt: now }
      added.set(id, sealRecord(sealer, info, secret, node))
      return info
    },
    remove(id) {
      if (added.delete(id)) return
      const start = index.get(id)
      if (start === undefined) throw noSuchWallet(id)
      body = withoutRecord(body, start)
      index = indexBody(body)
      removed = true
    },
  }

  return {
    draft,
    contents() {
      if (added.size === 0 && !removed) return undefined
      return { body: appendRecords(body, [...added.values()]), added: [...added.keys()], removed }
    },
  }
}

/** The file holds an id as 16 bytes; what does not come back from them as it was would be lost. */
function refuseStrangeId(id: WalletId): void {
  const bytes = uuidBytes(id)
  if (bytes !== undefined && uuidText(bytes) === id) return
  throw new KmsError('usage', 'a wallet id is a UUID in lower case')
}

export function noSuchWallet(id: WalletId): KmsError {
  return new KmsError('wallet-missing', `no wallet ${printable(id)} in the vault`)
}

/** Ids come from argv; only what looks like one is repeated. */
function printable(id: string): string {
  return /^[\w-]{1,64}$/.test(id) ? id : 'of that id'
}
