/** What an approver or a policy says of a payment. Only `approved` is a yes. */
export type Verdict =
  | { readonly kind: 'approved' }
  /** A clear no. */
  | { readonly kind: 'denied'; readonly reason: string }
  /** No answer to rely on: unreachable, busy, out of order. */
  | { readonly kind: 'failed'; readonly reason: string }
