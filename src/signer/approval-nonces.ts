import { hex } from '../base/bytes.ts'
import { longestApprovalMs } from '../guard/signed-verdicts.ts'
import { randomPublicBytes } from '../secret/random.ts'

/**
 * What makes an approval good for one payment, once. Kept in memory only: what was approved before a
 * restart is asked for again.
 */
export type Nonces = {
  /** Of a payment and its digest; made when there is none that is still good. */
  give(pendingId: string, digest: Uint8Array): Uint8Array
  find(pendingId: string, digest: Uint8Array): Uint8Array | undefined
}

/** Some 15 MB. The oldest go first: a front that asks for more only makes approvals fail. */
const defaultLimit = 50_000

export function createNonces(now: () => number, limit = defaultLimit): Nonces {
  const made = new Map<string, { readonly nonce: Uint8Array; readonly at: number }>()
  // A clock that was put back makes no nonce last longer.
  const isGood = (at: number): boolean => now() >= at && now() < at + longestApprovalMs
  const find: Nonces['find'] = (pendingId, digest) => {
    const known = made.get(nameOf(pendingId, digest))
    return known !== undefined && isGood(known.at) ? known.nonce : undefined
  }
  return {
    find,
    give(pendingId, digest) {
      const known = find(pendingId, digest)
      if (known !== undefined) return known
      const name = nameOf(pendingId, digest)
      made.delete(name)
      for (const [oldest, { at }] of made) {
        if (made.size < limit && isGood(at)) break
        made.delete(oldest)
      }
      const nonce = randomPublicBytes(32)
      made.set(name, { nonce, at: now() })
      return nonce
    },
  }
}

function nameOf(pendingId: string, digest: Uint8Array): string {
  return `${pendingId}/${hex(digest)}`
}
