import { KmsError } from '../../base/errors.ts'
import type { Fields } from './evm-fields.ts'
import { type EvmTx, type FilledTx, type Hex, requireFilled } from './evm-tx.ts'

/** What transactions of Kaia's own types do. An update replaces the keys of an account. */
export type KlayAction = 'transfer' | 'memo' | 'deploy' | 'execution' | 'cancel' | 'update'

/** The part of such a transaction that its sender signs. */
export type KlayBody = Fields & {
  readonly action: KlayAction
  /** How many hundredths of the fee a fee payer bears: 0 where there is none. */
  readonly payerShare: number
  readonly from: Hex
  /** Lower case; absent where nobody is paid or called. */
  readonly to?: Hex
  readonly value: bigint
  /** Lower case, '0x' when there is none; of an update the keys, as Kaia encodes them. */
  readonly data: Hex
}

export type FilledBody = Omit<KlayBody, keyof Fields> & Required<Fields>

export type KlaySignature = { readonly parity: number; readonly r: bigint; readonly s: bigint }

/** A transaction of Kaia's own types, as it goes out. */
export type RawTx = {
  readonly chainId: number
  readonly body: FilledBody
  readonly signatures: readonly KlaySignature[]
  /** Absent where there is none, or none yet. */
  readonly feePayer?: Hex
  readonly payerSignatures: readonly KlaySignature[]
}

/** A payment of ours; a fee payer may have to sign it after us. */
type SenderHalf<Body> = { readonly kind: 'sender'; readonly chainId: number; readonly body: Body }

/** Somebody else's payment, signed by them, of which we are to bear the fee. */
export type PayerHalf = RawTx & { readonly kind: 'payer'; readonly feePayer: Hex }

type Legacy<Tx> = { readonly kind: 'legacy'; readonly tx: Tx }

/** A transaction of Kaia; what is optional is filled in before it is signed. */
export type KlayTx = Legacy<EvmTx> | SenderHalf<KlayBody> | PayerHalf

export type FilledKlayTx = Legacy<FilledTx> | SenderHalf<FilledBody> | PayerHalf

export function requireFilledKlay(tx: KlayTx): FilledKlayTx {
  switch (tx.kind) {
    case 'legacy':
      return { ...tx, tx: requireFilled(tx.tx) }
    case 'sender':
      return { ...tx, body: requireFilledBody(tx.body) }
    case 'payer':
      return tx
    default:
      return tx satisfies never
  }
}

function requireFilledBody({ nonce, gas, price, ...body }: KlayBody): FilledBody {
  if (nonce === undefined || gas === undefined || price === undefined) {
    throw new KmsError('unexpected', 'a transaction was to be signed before it was complete')
  }
  return { ...body, nonce, gas, price }
}
