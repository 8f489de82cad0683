import { uuidBytes, uuidText } from '../base/bytes.ts'
import type { WalletId } from '../base/model.ts'
import { damaged } from './header.ts'

/** Where each wallet's record begins in a body, oldest first. */
export type BodyIndex = {
  readonly size: number
  get(id: WalletId): number | undefined
  has(id: WalletId): boolean
  keys(): Iterable<WalletId>
  values(): Iterable<number>
}

/** A record's length comes before its id. */
const idOffset = 4
const idLength = 16

/**
 * Finds records by the ids that stand in the body itself: a hash table of their numbers, at 16
 * bytes a wallet. A Map of half a million texts would cost more than the vault.
 *
 * @param starts where the records begin, each long enough for its id
 */
export function indexStarts(body: Uint8Array, starts: readonly number[]): BodyIndex {
  const table = new Uint32Array(2 ** Math.ceil(Math.log2(2 * starts.length + 2)))
  const last = table.length - 1
  /** The table's place of the id that stands at `at`, or the free one where it would go. */
  const placeOf = (bytes: Uint8Array, at: number): number => {
    for (let place = hashId(bytes, at) & last; ; place = (place + 1) & last) {
      const number = table[place] ?? 0
      if (number === 0) return place
      if (isSameId(body, (starts[number - 1] ?? 0) + idOffset, bytes, at)) return place
    }
  }

  starts.forEach((start, i) => {
    const place = placeOf(body, start + idOffset)
    if (table[place] !== 0) throw damaged('two wallets have the same id')
    table[place] = i + 1
  })
  const get = (id: WalletId): number | undefined => {
    const bytes = uuidBytes(id)
    // An id in capitals is none of ours.
    if (bytes === undefined || uuidText(bytes) !== id) return undefined
    return starts[(table[placeOf(bytes, 0)] ?? 0) - 1]
  }
  return {
    size: starts.length,
    get,
    has: id => get(id) !== undefined,
    *keys() {
      for (const start of starts) {
        yield uuidText(body.subarray(start + idOffset, start + idOffset + idLength))
      }
    },
    values: () => starts.values(),
  }
}

/** FNV-1a (32 bit): most ids are random, but they need not be. */
function hashId(bytes: Uint8Array, at: number): number {
  let state = 0x811c9dc5
  for (let i = at; i < at + idLength; i++) state = Math.imul(state ^ (bytes[i] ?? 0), 0x01000193)
  return state ^ (state >>> 15)
}

function isSameId(one: Uint8Array, at: number, other: Uint8Array, otherAt: number): boolean {
  for (let i = 0; i < idLength; i++) if (one[at + i] !== other[otherAt + i]) return false
  return true
}
