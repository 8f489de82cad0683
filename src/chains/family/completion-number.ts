import { asString } from '../../base/json.ts'
import type { Completion } from '../../base/model.ts'
import { refused } from './refusals.ts'

export type Bounds = { readonly least: bigint; readonly most: bigint }

/** A number that a completion must set: decimal digits, in one spelling, and within bounds. */
export function readCompletionNumber(completion: Completion, name: string, bounds: Bounds): bigint {
  const text = asString(completion[name])
  if (text === undefined) throw refused(`the transaction has no ${name} and completion adds none`)
  const value = /^(0|[1-9]\d{0,18})$/.test(text) ? BigInt(text) : undefined
  if (value !== undefined && isWithin(value, bounds)) return value
  throw refused(`completion sets ${name} to something that is not ${explainBounds(bounds)}`)
}

export function isWithin(value: bigint, { least, most }: Bounds): boolean {
  return value >= least && value <= most
}

export function explainBounds({ least, most }: Bounds): string {
  return `a whole number from ${least} to ${most}`
}
