import { base58Text } from '../../base/base58.ts'
import { KmsError } from '../../base/errors.ts'
import type { GivenKey } from '../../base/model.ts'
import type { SolMessage } from './sol-message.ts'

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
  const { blockhash, lastBlock, slot } = tx
  if (blockhash !== undefined && lastBlock !== undefined && slot !== undefined) {
    return { ...tx, blockhash, lastBlock, slot }
  }
  throw new KmsError('transaction-refused', 'the transaction has no blockhash yet')
}

/** The address of the mint whose key came along. */
export function mintOf({ mint }: SolTx): string | undefined {
  return mint && base58Text(mint.publicKey.bytes)
}
