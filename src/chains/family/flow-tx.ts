import { KmsError } from '../../base/errors.ts'
import type { Hex } from './evm-tx.ts'

/** A transaction of Flow with one authorizer. Addresses are 0x and 16 hex digits, lower case. */
export type FlowTx = {
  /** The program, in Cadence. */
  readonly script: string
  /** What it is called with, each in JSON-Cadence. */
  readonly args: readonly string[]
  /** The account it acts for: our key is that account's key 0. */
  readonly account: Hex
  /** Absent until the front has asked for it. */
  readonly frame?: FlowFrame
}

/** What others lend to a payment, and the network's clock. */
export type FlowFrame = {
  /** Id of a recent block in hex: 600 blocks later the transaction expires. */
  readonly referenceBlock: string
  /** Whose sequence number the transaction uses up. */
  readonly proposer: FlowKey
  readonly sequenceNumber: number
  /** Who pays the fee. */
  readonly payer: FlowKey
}

/** A key of an account that is Tatum's. */
export type FlowKey = { readonly address: Hex; readonly keyId: number }

/** A transaction that lacks nothing but signatures. */
export type FilledFlowTx = FlowTx & Required<Pick<FlowTx, 'frame'>>

/** In units of computation, as the original has it: the most that the network allows. */
export const gasLimit = 9_999

export function requireFrame({ frame, ...rest }: FlowTx): FilledFlowTx {
  if (frame !== undefined) return { ...rest, frame }
  throw new KmsError('unexpected', 'a transaction was to be signed before it was complete')
}

/** A key that proposes and pays signs once: as the payer, for everything. */
export function isOneKey({ proposer, payer }: FlowFrame): boolean {
  return proposer.address === payer.address && proposer.keyId === payer.keyId
}
