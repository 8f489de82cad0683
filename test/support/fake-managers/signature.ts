import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'

export type Received = {
  readonly method: string
  readonly path: string
  readonly headers: Headers
  readonly body: string
}

export type Signer = { readonly id: string; readonly secret: string; readonly token?: string }

/**
 * What AWS would complain about, or undefined. Written from "Verifying a signature" alone, from the
 * other side than `src`: it begins with the header that came.
 */
export function complaintAbout(
  { method, path, headers, body }: Received,
  { id, secret, token }: Signer,
  {
    region,
    service,
    now,
  }: { readonly region: string; readonly service: string; readonly now: number },
): string | undefined {
  const pattern =
    /^AWS4-HMAC-SHA256 Credential=(\w+)\/(\d{8})\/([\w-]+)\/([\w-]+)\/aws4_request, SignedHeaders=([\w;-]+), Signature=([\da-f]{64})$/
  const parts = pattern.exec(headers.get('authorization') ?? '')
  if (parts === null) return 'IncompleteSignatureException'
  const [, key = '', day = '', inRegion, forService, names = '', signature] = parts
  if (key !== id) return 'UnrecognizedClientException'
  if ((headers.get('x-amz-security-token') ?? undefined) !== token) return 'ExpiredTokenException'
  const stamp = headers.get('x-amz-date') ?? ''
  const [, y, mo, d, h, mi, s] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(stamp) ?? []
  const signedAt = Date.parse(`${y}-${mo}-${d}T${h}:${mi}:${s}Z`)
  const isFresh = Math.abs(now - signedAt) < 5 * 60_000
  if (!isFresh || !stamp.startsWith(day)) return 'InvalidSignatureException'
  if (inRegion !== region || forService !== service) return 'InvalidSignatureException'
  const signed = names.split(';')
  const mustBeSigned = [...headers.keys()].filter(name => name.startsWith('x-amz-'))
  if (!['host', ...mustBeSigned].every(name => signed.includes(name))) {
    return 'InvalidSignatureException'
  }
  let canonical = `${method}\n${path}\n\n`
  for (const name of signed)
    canonical += `${name}:${(headers.get(name) ?? '').replace(/ {2,}/g, ' ')}\n`
  canonical += `\n${names}\n${digest(body)}`
  const scope = `${day}/${region}/${service}/aws4_request`
  const toSign = `AWS4-HMAC-SHA256\n${stamp}\n${scope}\n${digest(canonical)}`
  const ofDay = mac(utf8ToBytes(`AWS4${secret}`), day)
  const ofRequest = mac(mac(mac(ofDay, region), service), 'aws4_request')
  return bytesToHex(mac(ofRequest, toSign)) === signature ? undefined : 'InvalidSignatureException'
}

function digest(text: string): string {
  return bytesToHex(sha256(utf8ToBytes(text)))
}

function mac(key: Uint8Array, text: string): Uint8Array {
  return hmac(sha256, key, utf8ToBytes(text))
}
