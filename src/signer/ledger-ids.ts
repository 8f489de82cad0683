/**
 * Under which ids the ledger keeps rows that are not a payment's first bytes. No payment has such an
 * id: those of Tatum are made of letters, digits, `_` and `-`.
 */
type RowId =
  /** One of the sets of bytes of a payment; 0 is the first. */
  | { readonly kind: 'bytes'; readonly pendingId: string; readonly version: number }
  /** What took its place. */
  | { readonly kind: 'cancellation'; readonly pendingId: string }

export function cancellationId(pendingId: string): string {
  return `cancel/${pendingId}`
}

/** Under which id it keeps the bytes that a payment has got instead of those `before` them. */
export function resignedId(pendingId: string, before: number): string {
  return before === 0 ? pendingId : `resign/${before}/${pendingId}`
}

export function readRowId(rowId: string): RowId {
  const [, cancelled] = /^cancel\/(.+)$/.exec(rowId) ?? []
  if (cancelled !== undefined) return { kind: 'cancellation', pendingId: cancelled }
  const [, version = '0', pendingId = rowId] = /^resign\/(\d+)\/(.+)$/.exec(rowId) ?? []
  return { kind: 'bytes', pendingId, version: Number(version) }
}

/** The payment that a row of the ledger belongs to. */
export function paymentOf(rowId: string): string {
  return readRowId(rowId).pendingId
}
