import { denied } from './refusals.ts'

/**
 * What a unit of gas is offered for a transaction that is to take the place of another: nodes want
 * 10 to 12.5 % more than `before`, and a producer takes it at the price of the day.
 */
export function bidOver(
  before: bigint,
  { now, gas, feeCap }: { readonly now: bigint; readonly gas: bigint; readonly feeCap: bigint },
): bigint {
  const most = feeCap / gas
  const least = raised(before)
  if (least > most) {
    throw denied(`a replacement would cost more than the limit of ${feeCap} base units`)
  }
  return lower(higher(least, now), most)
}

/** An eighth more, and more than nothing. */
export function raised(price: bigint): bigint {
  return price === 0n ? 1n : (9n * price + 7n) / 8n
}

export function higher(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}

export function lower(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}
