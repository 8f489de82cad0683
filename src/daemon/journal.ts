import type { ErrorCode } from '../base/errors.ts'
import type { Network } from '../base/model.ts'
import type { Leases } from './leases.ts'

/**
 * How far a payment has come. Bytes stand in the journal before they leave the machine: the signer's
 * from `signed` on, the final ones, where others add to them, from `finished` on. `arrived`: the network
 * has them, and Tatum is to be told. `done`: the network has used up their number. `refused`, `expired`
 * and `cancelled` are closed.
 */
export const paymentStates = [
  'seen',
  'denied',
  'refused',
  'signed',
  'finished',
  'arrived',
  'sent',
  'done',
  'expired',
  'cancelled',
] as const

export type PaymentState = (typeof paymentStates)[number]

export type PaymentRow = {
  readonly pendingId: string
  readonly chain: string
  readonly state: PaymentState
  /** SHA-256 of the serializedTransaction in hex: one id, one transaction. */
  readonly contents: string
  readonly withdrawalId: string | null
  /** The sender whose payments go out one after the other; null where the order does not matter. */
  readonly lane: string | null
  /** The signer's bytes. */
  readonly txData: string | null
  readonly txId: string | null
  /** What became of them in `Chain.finish`, where a chain has that. */
  readonly finalData: string | null
  readonly finalId: string | null
  /** What Tatum is told once the network has them, where a chain has `Chain.submit`. */
  readonly arrivalData: string | null
  /** Id of the bytes that it had before these, and that expired. */
  readonly replacedId: string | null
  /** Why it is not further: what kind of fault stopped it, and a sentence. */
  readonly code: ErrorCode | null
  readonly reason: string | null
  /** What Tatum was told, once it had it: an error code, `expired` or `cancelled`. */
  readonly reported: string | null
}

/** A payment with its one set of signed bytes. */
export type SignedRow = PaymentRow & { readonly txData: string; readonly txId: string }

export function isSigned(row: PaymentRow): row is SignedRow {
  return row.txData !== null && row.txId !== null
}

/** The bytes may not have reached the network. */
export const unsentStates: readonly PaymentState[] = ['signed', 'finished', 'arrived']

/** Whose payments they are: a folder may hold those of several vaults and both networks. */
export type JournalScope = { readonly vaultId: string; readonly network: Network }

/**
 * The front's memory of payments. Without it the signer's ledger still keeps every payment from being
 * signed twice, and those that were cancelled from being signed; what was refused, has expired or
 * arrived, or was reported is forgotten, and so are final bytes.
 */
export type Journal = {
  find(pendingId: string): Promise<PaymentRow | undefined>
  /**
   * Inserts or replaces the payment's row, durably. One with bytes never loses or changes them, the
   * signer's as well as the final ones; one that has arrived never expires; one that is cancelled
   * stays so.
   *
   * @returns the row as it stands then; where another daemon was first, with the bytes of that one
   */
  record(row: PaymentRow): Promise<PaymentRow>
  /** Gives a payment that has expired the bytes that it was signed with anew, and no others beside. */
  renew(row: Pick<SignedRow, 'pendingId' | 'txData' | 'txId'>): Promise<SignedRow>
  /** Payments of a chain whose bytes may not have reached the network, oldest first. */
  unsent(chain: string): Promise<readonly PaymentRow[]>
  /** Chains that have such payments. */
  unsentChains(): Promise<readonly string[]>
  /**
   * Payments whose bytes went out, or may have: signed or sent, the last time at `time` or before, and
   * nothing is known since. Of many not all: first what was sent, of every sender the oldest first, so
   * that those of one sender, or that were never taken, keep nobody else's out.
   */
  outUntil(time: number, chain: string): Promise<readonly PaymentRow[]>
  /** Whether a chain has payments that were sent, and are not done. */
  hasSent(chain: string): Promise<boolean>
  /**
   * The number after the highest of bytes in the journal, 0 where there are none. Undefined where one
   * daemon has it to itself: then its ledger knows.
   */
  nextNumber(chain: string, address: string): Promise<bigint | undefined>
  /** Whose turn it is: while several daemons share the journal, a row is written by one that has it. */
  readonly leases: Leases
  /**
   * Removes some payments that nothing has changed since `time`, and that the ledger answers for in the
   * same way if they are ever listed again. What was refused or has expired stays: it must not be
   * judged, or told of, a second time. So do final bytes, which nobody else has.
   *
   * @param numbered chains on which what was sent is over only once its number is used up
   * @returns whether there are more of them
   */
  forget(time: number, numbered: readonly string[]): Promise<boolean>
  /** Refuses unless the journal can be written, by writing what is there already. */
  probe(): Promise<void>
  close(): Promise<void>
}

/** What people ask about a payment; its bytes are nobody's business. */
export type PaymentSummary = {
  readonly pendingId: string
  readonly chain: string
  readonly network: string
  readonly state: PaymentState
  /** Of the bytes that go out. */
  readonly txId: string | null
  readonly reason: string | null
  /** Milliseconds since 1970, as when it was changed last. */
  readonly seenAt: number
  readonly changedAt: number
}

export type PaymentFilter = {
  readonly pendingId?: string
  readonly state?: PaymentState
  readonly chains?: readonly string[]
}
