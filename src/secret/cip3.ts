import { ed25519 } from '@noble/curves/ed25519.js'
import { concat, fromHex, hex } from '../base/bytes.ts'
import { KmsError } from '../base/errors.ts'
import type { PublicKey } from '../base/model.ts'
import { hardened, malformedPath, stepsOf } from './derivation-path.ts'
import { hmac, icarusSecret } from './kdf.ts'
import type { KeyRoom } from './key-room.ts'
import { littleEndianNumberOf } from './numbers.ts'
import { filledSecret, type Secret } from './secret.ts'

/** A node of BIP32-Ed25519: 64 bytes key kL‖kR, then 32 bytes chain code. */
type ExtendedKey = Secret

/** The node at `path` below the Icarus master key of a mnemonic's entropy. The caller wipes it. */
export async function deriveAccount(
  entropy: Secret,
  path: string,
  publicKeyOf: KeyRoom['publicKey'],
): Promise<{ readonly node: ExtendedKey; readonly xpub: string }> {
  const steps = stepsOf(path)
  let node = masterNode(entropy)
  for (const step of steps) {
    using parent = node
    const isSoft = step < hardened
    const publicKey = isSoft ? await publicKeyOf('ed25519-bip32', parent) : undefined
    node = childNode(parent, step, publicKey?.bytes)
  }
  try {
    const { bytes: publicKey } = await publicKeyOf('ed25519-bip32', node)
    return { node, xpub: node.use(bytes => hex(concat(publicKey, bytes.subarray(64)))) }
  } catch (fault) {
    node.wipe()
    throw fault
  }
}

/**
 * Private key `index` below the node: 64 bytes, to be wiped by the caller.
 *
 * @param xpub of that node: the public key comes from there and not from the private one
 */
export function childPrivateKey(node: ExtendedKey, xpub: string, index: number): Secret {
  using child = childNode(node, index, readPublic(xpub).publicKey)
  return child.use(bytes => filledSecret(64, key => key.set(bytes.subarray(0, 64))))
}

/** Public key `index` below a public node, without any secret: A + 8·zL·B. */
export function childPublicKey(xpub: string, index: number): PublicKey {
  const { publicKey, point, chainCode } = readPublic(xpub)
  using z = hmac('sha512', chainCode, tags.soft.z, publicKey, littleEndian32(index))
  const left = new Uint8Array(32)
  z.use(bytes => left.set(bytes.subarray(0, leftLength)))
  const offset = ed25519.Point.BASE.multiplyUnsafe(8n * littleEndianNumberOf(left))
  return { curve: 'ed25519-bip32', bytes: point.add(offset).toBytes() }
}

/** CIP-3, Icarus. */
function masterNode(entropy: Secret): ExtendedKey {
  const node = icarusSecret(entropy)
  node.use(setScalarBits)
  return node
}

/**
 * Makes the first 32 bytes a scalar of CIP-3: a multiple of 8, bit 254 set, the bits around it clear,
 * so that no child's can overflow.
 */
export function setScalarBits(key: Uint8Array): void {
  key[0] = (key[0] ?? 0) & 0b1111_1000
  key[31] = ((key[31] ?? 0) & 0b0001_1111) | 0b0100_0000
}

/** What the two hashes of a step begin with (BIP32-Ed25519, section V). */
const tags = {
  hardened: { z: Uint8Array.of(0), chainCode: Uint8Array.of(1) },
  soft: { z: Uint8Array.of(2), chainCode: Uint8Array.of(3) },
}

/** Bytes of the hash that move the scalar: few enough that children stay below 2^255. */
const leftLength = 28

/**
 * BIP32-Ed25519 as Cardano has it ("V2"): kL + 8·zL and kR + zR on bytes, because no key may become
 * a BigInt here. Wipes nothing of `parent`; the caller owns both.
 */
function childNode(
  parent: ExtendedKey,
  number: number,
  parentKey: Uint8Array | undefined,
): ExtendedKey {
  const isHardened = number >= hardened
  const tag = isHardened ? tags.hardened : tags.soft
  return parent.use(bytes => {
    const key = bytes.subarray(0, 64)
    const chainCode = bytes.subarray(64)
    const hashed = isHardened ? key : parentKey
    if (hashed === undefined) throw malformedPath()
    const position = littleEndian32(number)
    using z = hmac('sha512', chainCode, tag.z, hashed, position)
    using next = hmac('sha512', chainCode, tag.chainCode, hashed, position)
    return filledSecret(96, child => {
      child.set(key)
      z.use(digest => {
        addLittleEndian(child.subarray(0, 32), digest.subarray(0, leftLength), 8)
        addLittleEndian(child.subarray(32, 64), digest.subarray(32), 1)
      })
      next.use(digest => child.set(digest.subarray(32), 64))
    })
  })
}

/** `sum += factor · addend` modulo 2^256. */
function addLittleEndian(sum: Uint8Array, addend: Uint8Array, factor: 1 | 8): void {
  let carry = 0
  for (let i = 0; i < sum.length; i++) {
    carry += (sum[i] ?? 0) + factor * (addend[i] ?? 0)
    sum[i] = carry & 255
    carry >>= 8
  }
}

function littleEndian32(number: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, number, true)
  return bytes
}

/** An xpub is 64 bytes in hex: public key, then chain code. */
function readPublic(xpub: string) {
  const bytes = fromHex(xpub)
  if (bytes?.length !== 64) throw unreadable()
  const publicKey = bytes.subarray(0, 32)
  try {
    return { publicKey, point: ed25519.Point.fromBytes(publicKey), chainCode: bytes.subarray(32) }
  } catch (cause) {
    throw unreadable(cause)
  }
}

function unreadable(cause?: unknown): KmsError {
  return new KmsError('vault-damaged', 'a stored xpub cannot be read', { cause })
}
