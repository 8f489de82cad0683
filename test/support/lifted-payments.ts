import type {
  Completion,
  Intent,
  Output,
  PendingTx,
  Signature,
  Signed,
} from '../../src/base/model.ts'
import type { Chain, Own, Prepared } from '../../src/chains/chain.ts'
import { sign } from '../../src/secret/sign.ts'

/** A payment that is denied until its denial is lifted. */
export type LiftedPayment = {
  /** The denial. */
  readonly name: string
  readonly about: string
  readonly chain: Chain
  readonly pending: PendingTx
  readonly own: Own
  readonly completion?: Completion
  readonly key: Uint8Array
  /** What people are told of it. */
  readonly intent: Pick<Intent, 'kind' | 'outputs' | 'from' | 'unread'>
  /** By somebody else's code: throws unless these bytes are signed and do just that. */
  check(signed: Signed): void | Promise<void>
}

export function prepareWith(
  { chain, pending, own, completion = {} }: LiftedPayment,
  lifted: readonly string[],
): Prepared {
  return chain.prepare(pending, { ...own, settings: { ...own.settings, lifted } }, completion)
}

export function signed({ key }: LiftedPayment, prepared: Prepared): Signed {
  const signatures: readonly Signature[] = prepared.requests.map(request => sign(request, key))
  return prepared.seal(signatures)
}

/** An output that pays nobody: its recipient is a description. */
export function note(to: string, asset: string): Output {
  return { to, amount: 0n, asset, own: false }
}

export const mostOf64Bits = 2n ** 64n - 1n
