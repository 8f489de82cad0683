import type { Intent } from '../base/model.ts'

/** What its owner has written down: which payments are signed, and how much may go out. */
export type Policy = {
  /** What becomes of a payment that no rule matches. */
  readonly default: Action
  /** In no order: what one of them denies no other allows. */
  readonly rules: readonly Rule[]
  /** A payment must be under every one of them. */
  readonly caps: readonly Cap[]
  /** Built-in denials of chains that do not hold. */
  readonly lifted: readonly string[]
  /** By chain: the most that one payment may pay in fees, in place of the chain's own limit. */
  readonly feeCaps: Readonly<Record<string, string>>
}

type Action = 'allow' | 'deny'

/**
 * Which payments are allowed or denied; a member that is absent is true of every payment. Texts are
 * in the form of `canonicalText`.
 */
export type Rule = {
  readonly name: string
  readonly action: Action
  readonly chains?: ReadonlySet<string>
  readonly kinds?: ReadonlySet<string>
  readonly wallets?: ReadonlySet<string>
  readonly recipients?: ReadonlySet<string>
  readonly assets?: ReadonlySet<string>
  /** About payments part of which cannot be read, or about the others. */
  readonly unread?: boolean
}

/** How much of an asset may go out: with one payment, and in any stretch of time. */
export type Cap = {
  readonly name: string
  readonly asset: string
  /** Only payments that one of these signs. */
  readonly wallets?: ReadonlySet<string>
  /** Recipients who may get any amount. */
  readonly except?: ReadonlySet<string>
  /** Each wallet has the amounts for itself. */
  readonly eachWallet: boolean
  readonly transaction?: bigint
  readonly window?: { readonly ms: number; readonly total: bigint }
}

/** What is judged of a payment; all of it comes from the signer's own decoding. */
export type Judged = {
  readonly chain: string
  readonly wallets: readonly string[]
  readonly intent: Pick<Intent, 'kind' | 'outputs' | 'fee' | 'unread'>
}
