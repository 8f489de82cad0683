import { KmsError } from '../../base/errors.ts'
import type { EvmTx, Hex } from './evm-tx.ts'

/** A transaction of Celo; what is optional is filled in before it is signed. */
export type CeloTx = Pick<
  EvmTx,
  'chainId' | 'nonce' | 'gas' | 'price' | 'to' | 'value' | 'data'
> & {
  /** The token that gas is paid with, as is `price`; absent where it is CELO. */
  readonly feeCurrency?: Hex
  /** As they came, for a node that estimates; nothing else reads them. */
  readonly given?: Readonly<Partial<Record<'value' | 'data' | 'gas', Hex>>>
}

export type FilledCeloTx = Omit<CeloTx, 'given'> & Required<Pick<CeloTx, 'nonce' | 'gas' | 'price'>>

export function requireFilledCelo(tx: CeloTx): FilledCeloTx {
  const { given: _, nonce, gas, price, ...rest } = tx
  if (nonce === undefined || gas === undefined || price === undefined) {
    throw new KmsError('unexpected', 'a transaction was to be signed before it was complete')
  }
  return { ...rest, nonce, gas, price }
}
