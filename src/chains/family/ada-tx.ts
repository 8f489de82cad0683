import type { Json } from '../../base/json.ts'

/** An output being spent. Ids are lower-case hex; addresses are in their one text form. */
export type AdaInput = {
  readonly txId: string
  readonly index: number
  readonly address: string
  readonly lovelace: bigint
}

export type AdaOutput = { readonly address: string; readonly lovelace: bigint }

export type AdaTx = {
  /** Rosetta's operations as they came: the gateway makes the transaction of them. */
  readonly operations: Json
  readonly inputs: readonly AdaInput[]
  readonly outputs: readonly AdaOutput[]
  /** What the gateway made of them, once it was asked. */
  readonly made?: AdaMade
}

/** The transaction that is signed: its body says what the operations say, and until when. */
export type AdaMade = {
  /** The gateway's envelope in hex, as it came. */
  readonly unsignedTransaction: string
  /** BLAKE2b-256 of the body, in hex: what is signed. */
  readonly id: string
  /** The last slot in which it is valid. */
  readonly ttl: bigint
  /** The address of each key that signs, in the order of the gateway. */
  readonly signers: readonly string[]
}

/** What the inputs hold beyond the outputs; negative when they hold too little. */
export function feeOf({ inputs, outputs }: AdaTx): bigint {
  return totalOf(inputs) - totalOf(outputs)
}

function totalOf(parts: readonly { readonly lovelace: bigint }[]): bigint {
  return parts.reduce((sum, { lovelace }) => sum + lovelace, 0n)
}

export function outpointOf({ txId, index }: Pick<AdaInput, 'txId' | 'index'>): string {
  return `${txId}:${index}`
}
