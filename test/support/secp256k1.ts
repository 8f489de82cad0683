/** Signatures on secp256k1 as SEC 1 and SEC 2 write it: nothing of the library that signs. */

import { createHash } from 'node:crypto'

const p = 2n ** 256n - 2n ** 32n - 977n
const n = 0xffffffff_ffffffff_ffffffff_fffffffe_baaedce6_af48a03b_bfd25e8c_d0364141n
/** SEC 2, 2.4.1 */
const g: Point = {
  x: 0x79be667e_f9dcbbac_55a06295_ce870b07_029bfcdb_2dce28d9_59f2815b_16f81798n,
  y: 0x483ada77_26a3c465_5da4fbfc_0e1108a8_fd17b448_a6855419_9c47d08f_fb10d4b8n,
  z: 1n,
}

/** Jacobian: x/z² and y/z³; z is 0 at infinity. */
type Point = { readonly x: bigint; readonly y: bigint; readonly z: bigint }

export type EcdsaSignature = { readonly r: bigint; readonly s: bigint }

/** Whether s is in the lower half, the only one nodes relay (BIP-146). */
export function isLowS({ s }: EcdsaSignature): boolean {
  return s <= n / 2n
}

/** SEC 1, 4.1.4 */
export function verifyEcdsa(
  { r, s }: EcdsaSignature,
  digest: Uint8Array,
  publicKey: Uint8Array,
): boolean {
  const key = readPoint(publicKey)
  if (key === undefined || r < 1n || r >= n || s < 1n || s >= n) return false
  const w = power(s, n - 2n, n)
  const { x, z } = sumOf(modulo(numberOf(digest) * w, n), g, modulo(r * w, n), key)
  return z !== 0n && modulo(modulo(x * power(z * z, p - 2n, p), p), n) === r
}

/** Bitcoin Cash, 2019-05-15-schnorr: `signature` is r‖s, the key of either form. */
export function verifyBchSchnorr(
  signature: Uint8Array,
  digest: Uint8Array,
  publicKey: Uint8Array,
): boolean {
  const key = readPoint(publicKey)
  const [r, s] = [numberOf(signature.subarray(0, 32)), numberOf(signature.subarray(32))]
  if (key === undefined || signature.length !== 64 || r >= p || s >= n) return false
  const compressed = Buffer.from(publicKey.subarray(0, 33))
  compressed[0] = key.y % 2n === 0n ? 2 : 3
  const hash = createHash('sha256').update(signature.subarray(0, 32)).update(compressed)
  const e = numberOf(hash.update(digest).digest()) % n
  const { x, y, z } = sumOf(s, g, n - e, key)
  if (z === 0n) return false
  const inverse = power(z, p - 2n, p)
  const isSquare = power(y * inverse ** 3n, (p - 1n) / 2n, p) === 1n
  return isSquare && modulo(x * inverse ** 2n, p) === r
}

/** SEC 1, 2.3.4 */
function readPoint(bytes: Uint8Array): Point | undefined {
  const [form, x] = [bytes[0], numberOf(bytes.subarray(1, 33))]
  if (x >= p) return undefined
  const square = modulo(x * x * x + 7n, p)
  if (form === 4 && bytes.length === 65) {
    const y = numberOf(bytes.subarray(33))
    return y < p && modulo(y * y, p) === square ? { x, y, z: 1n } : undefined
  }
  if ((form !== 2 && form !== 3) || bytes.length !== 33) return undefined
  const root = power(square, (p + 1n) / 4n, p)
  if (modulo(root * root, p) !== square) return undefined
  return { x, y: root % 2n === BigInt(form - 2) ? root : p - root, z: 1n }
}

/** a·A + b·B, bit by bit. */
function sumOf(a: bigint, pointA: Point, b: bigint, pointB: Point): Point {
  const both = add(pointA, pointB)
  let sum: Point = { x: 1n, y: 1n, z: 0n }
  for (let bit = 255n; bit >= 0n; bit--) {
    sum = double(sum)
    const [hasA, hasB] = [(a >> bit) & 1n, (b >> bit) & 1n]
    if (hasA && hasB) sum = add(sum, both)
    else if (hasA) sum = add(sum, pointA)
    else if (hasB) sum = add(sum, pointB)
  }
  return sum
}

function double({ x, y, z }: Point): Point {
  const yy = modulo(y * y, p)
  const s = modulo(4n * x * yy, p)
  const m = modulo(3n * x * x, p)
  const x2 = modulo(m * m - 2n * s, p)
  return { x: x2, y: modulo(m * (s - x2) - 8n * yy * yy, p), z: modulo(2n * y * z, p) }
}

function add(a: Point, b: Point): Point {
  if (a.z === 0n) return b
  if (b.z === 0n) return a
  const [aa, bb] = [modulo(a.z * a.z, p), modulo(b.z * b.z, p)]
  const [u1, u2] = [modulo(a.x * bb, p), modulo(b.x * aa, p)]
  const [s1, s2] = [modulo(a.y * b.z * bb, p), modulo(b.y * a.z * aa, p)]
  if (u1 === u2) return s1 === s2 ? double(a) : { x: 1n, y: 1n, z: 0n }
  const [h, r] = [u2 - u1, s2 - s1]
  const [hh, hhh] = [modulo(h * h, p), modulo(h * h * h, p)]
  const x = modulo(r * r - hhh - 2n * u1 * hh, p)
  return { x, y: modulo(r * (u1 * hh - x) - s1 * hhh, p), z: modulo(a.z * b.z * h, p) }
}

function power(base: bigint, exponent: bigint, of: bigint): bigint {
  let [result, square] = [1n, modulo(base, of)]
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = modulo(result * square, of)
    square = modulo(square * square, of)
  }
  return result
}

function modulo(value: bigint, of: bigint): bigint {
  const rest = value % of
  return rest < 0n ? rest + of : rest
}

function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex') || '0'}`)
}
