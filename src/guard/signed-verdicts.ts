import { createPublicKey, verify } from 'node:crypto'
import { concat, fromHex } from '../base/bytes.ts'
import { asArray, asInteger, asRecord, asString } from '../base/json.ts'
import { encodeVerdict } from './signed-approval.ts'

/** One approver's answer as it came: nothing is known of it but its form. */
export type SignedVerdict = {
  /** Ed25519, hex. */
  readonly key: string
  readonly verdict: 'approved' | 'denied'
  /** Until when it holds, in milliseconds since 1970. */
  readonly expiry: number
  /** Over `encodeVerdict`, hex. */
  readonly signature: string
}

/** Who may agree to payments, in lower-case hex, and how many of them must. */
export type ApprovalRules = { readonly keys: readonly string[]; readonly approvals: number }

export const noApprovers: ApprovalRules = { keys: [], approvals: 0 }

/** What became of verdicts. A key counts once, and its no before its yes. */
export type Judgement = {
  readonly approved: readonly string[]
  readonly denied: readonly string[]
  /** Of those that count for nothing, how many and why. */
  readonly ignored: Readonly<Record<Flaw, number>>
}

type Flaw = 'unknown keys' | 'wrong signatures' | 'out of time'

/** More than anybody has approvers: each costs a verification. */
const maxVerdicts = 64

/** Undefined where it is no list of verdicts; members nobody knows are dropped. */
export function decodeVerdicts(value: unknown): readonly SignedVerdict[] | undefined {
  const entries = asArray(value)
  if (entries === undefined || entries.length > maxVerdicts) return undefined
  const verdicts = entries.map(decodeVerdict).filter(verdict => verdict !== undefined)
  return verdicts.length === entries.length ? verdicts : undefined
}

/** The longest that a verdict, and a nonce, may be good for. */
export const longestApprovalMs = 3_600_000

/** Counts only what the keys have signed of this digest and this nonce, and is good at `now`. */
export function judgeVerdicts(
  { keys }: ApprovalRules,
  asked: { readonly digest: Uint8Array; readonly nonce: Uint8Array; readonly now: number },
  verdicts: readonly SignedVerdict[],
): Judgement {
  const heard = { approved: new Set<string>(), denied: new Set<string>() }
  const ignored = { 'unknown keys': 0, 'wrong signatures': 0, 'out of time': 0 }
  for (const given of verdicts) {
    const key = given.key.toLowerCase()
    const flaw = flawOf({ ...given, key }, keys, asked)
    if (flaw === undefined) heard[given.verdict].add(key)
    else ignored[flaw]++
  }
  const denied = [...heard.denied]
  return { approved: [...heard.approved].filter(key => !denied.includes(key)), denied, ignored }
}

/** Why a payment is not approved: `1 of 2 approvals (unknown keys: 1)`. */
export function describeShortage({ approvals }: ApprovalRules, judged: Judgement): string {
  const flaws = Object.entries(judged.ignored).filter(([, count]) => count > 0)
  const ignored = flaws.map(([flaw, count]) => `${flaw}: ${count}`).join(', ')
  const have = `${judged.approved.length} of ${approvals} signed approvals`
  return ignored === '' ? have : `${have} (${ignored})`
}

function decodeVerdict(value: unknown): SignedVerdict | undefined {
  const members = asRecord(value)
  const key = asString(members?.get('key'))
  const verdict = members?.get('verdict')
  const expiry = asInteger(members?.get('expiry'))
  const signature = asString(members?.get('signature'))
  if (key === undefined || !/^[0-9a-fA-F]{64}$/.test(key)) return undefined
  if (verdict !== 'approved' && verdict !== 'denied') return undefined
  if (expiry === undefined || expiry < 0) return undefined
  if (signature === undefined || !/^[0-9a-fA-F]{128}$/.test(signature)) return undefined
  return { key, verdict, expiry, signature }
}

function flawOf(
  given: SignedVerdict,
  keys: readonly string[],
  { digest, nonce, now }: Parameters<typeof judgeVerdicts>[1],
): Flaw | undefined {
  if (!keys.includes(given.key)) return 'unknown keys'
  if (given.expiry <= now || given.expiry > now + longestApprovalMs) return 'out of time'
  const message = encodeVerdict(digest, nonce, given)
  return isSignedBy(given.key, message, given.signature) ? undefined : 'wrong signatures'
}

/** DER of a SubjectPublicKeyInfo with an Ed25519 key, up to the key (RFC 8410). */
const spkiPrefix = Uint8Array.from(Buffer.from('302a300506032b6570032100', 'hex'))

/**
 * BoringSSL wants s below the order and compares the bytes of R: with a key of the large group
 * (`parseApproverKey`) nobody but its owner can make another signature of a given one. Ten times as
 * fast as noble, which says the same in tests.
 */
function isSignedBy(key: string, message: Uint8Array, signature: string): boolean {
  const der = Buffer.from(concat(spkiPrefix, fromHex(key) ?? new Uint8Array()))
  const publicKey = createPublicKey({ key: der, format: 'der', type: 'spki' })
  return verify(null, message, publicKey, fromHex(signature) ?? new Uint8Array())
}
