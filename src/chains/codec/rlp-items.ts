import { hex } from '../../base/bytes.ts'
import type { Rlp } from './rlp.ts'

/** The items of an RLP list by name. Each reader throws when an item is not of its kind. */
export type RlpItems = {
  has(name: string): boolean
  bytes(name: string): Uint8Array
  /** At most 32 bytes without a leading zero; 0 is no bytes. */
  number(name: string): bigint
  /** A number that a double holds exactly. */
  integer(name: string): number
  list(name: string): readonly Rlp[]
}

/** Names the items of a list; `layout` is the names in their order, `broken` makes the error. */
export function readItems(
  envelope: Rlp | undefined,
  layout: string,
  broken: () => Error,
): RlpItems {
  const names = layout.split(' ')
  const values = requireList(envelope, broken)
  if (values.length !== names.length) throw broken()
  const items = new Map(values.map((item, i) => [names[i], item]))

  const bytes = (name: string): Uint8Array => {
    const item = items.get(name)
    if (!(item instanceof Uint8Array)) throw broken()
    return item
  }
  const number = (name: string): bigint => {
    const digits = bytes(name)
    if (digits.length > 32 || digits[0] === 0) throw broken()
    return digits.length === 0 ? 0n : BigInt(`0x${hex(digits)}`)
  }
  return {
    has: name => items.has(name),
    bytes,
    number,
    integer: name => {
      const value = number(name)
      if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw broken()
      return Number(value)
    },
    list: name => requireList(items.get(name), broken),
  }
}

function requireList(item: Rlp | undefined, broken: () => Error): readonly Rlp[] {
  if (item === undefined || item instanceof Uint8Array) throw broken()
  return item
}
