import { KmsError } from '../../base/errors.ts'
import type { GivenKey } from '../../base/model.ts'
import { keyText, type SolMessage } from './sol-message.ts'

/** A transaction of Solana before its signatures. */
export type SolTx = {
  readonly message: SolMessage
  /** The key of a mint that the message makes; Tatum made it up and sends it along. */
  readonly mint?: GivenKey
  /** Base58; what the message came with is a placeholder. */
  readonly blockhash?: string
  /** The height of the last block that can hold this transaction. It is in no signature. */
  readonly lastBlock?: bigint
  /** When the blockhash was the newest one that is final. It is in no signature either. */
  readonly slot?: bigint
}

export type FilledSolTx = SolTx & Required<Pick<SolTx, 'blockhash' | 'lastBlock' | 'slot'>>

export function requireFilled(tx: SolTx): FilledSolTx {
  if (isFilled(tx)) return tx
  throw new KmsError('transaction-refused', 'the transaction has no blockhash yet')
}

function isFilled(tx: SolTx): tx is FilledSolTx {
  return tx.blockhash !== undefined && tx.lastBlock !== undefined && tx.slot !== undefined
}

/** The address of the mint whose key came along. */
export function mintOf({ mint }: SolTx): string | undefined {
  return mint && keyText(mint.publicKey.bytes)
}
