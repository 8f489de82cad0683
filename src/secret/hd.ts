import { createHash } from 'node:crypto'
import { HDKey } from '@scure/bip32'
import { concat } from '../base/bytes.ts'
import { KmsError } from '../base/errors.ts'
import type { Derivation, Network, PublicKey } from '../base/model.ts'
import { base58Checksum, encodeBase58 } from './base58.ts'
import { hmac, mnemonicSeed } from './kdf.ts'
import { allocateSecret, type Secret } from './secret.ts'
import { order, publicKeyOf } from './sign.ts'

/** Indexes above this are hardened (BIP-32). */
export const highestIndex = 2 ** 31 - 1

/** A BIP-32 extended private key: 32 bytes key, then 32 bytes chain code. */
type ExtendedKey = Secret

/** What a mnemonic wallet keeps: the node whose children are its keys, and that node's public side. */
export type Account = { readonly node: ExtendedKey; readonly xpub: string }

/** The account node of a mnemonic. The caller wipes `node`. */
export function deriveAccount(mnemonic: Secret, derivation: Derivation, network: Network): Account {
  using seed = mnemonicSeed(mnemonic)
  const steps = parsePath(derivation.path[network])
  let parent = seed.use(bytes => hmac('sha512', seedKey, bytes))
  let fingerprint = new Uint8Array(4)
  for (const step of steps) {
    using outer = parent
    fingerprint = fingerprintOf(outer)
    parent = childNode(outer, step)
  }
  const position = { depth: steps.length, fingerprint, number: steps.at(-1) ?? 0 }
  return { node: parent, xpub: serializePublic(parent, position, derivation.xpub[network]) }
}

/** Private key `index` below the account node: 32 bytes, to be wiped by the caller. */
export function childPrivateKey(node: ExtendedKey, index: number): Secret {
  using child = childNode(node, checkedIndex(index))
  const key = allocateSecret(32)
  child.use(from => key.use(to => to.set(from.subarray(0, 32))))
  return key
}

/** Public key `index` below an account's `xpub`, without any secret. */
export function childPublicKey(xpub: string, version: number, index: number): PublicKey {
  const node = HDKey.fromExtendedKey(xpub, { private: 0, public: version })
  const { publicKey } = node.deriveChild(checkedIndex(index))
  if (publicKey === null) throw new KmsError('vault-damaged', 'a stored xpub has no public key')
  return { curve: 'secp256k1', bytes: publicKey }
}

function checkedIndex(index: number): number {
  if (Number.isInteger(index) && index >= 0 && index <= highestIndex) return index
  throw new KmsError('usage', 'an index is a whole number from 0 to 2147483647')
}

const seedKey = new TextEncoder().encode('Bitcoin seed')
const hardened = 2 ** 31

/** `m/44'/60'/0'/0` → child numbers; paths are our own data, so a bad one is a bug. */
function parsePath(path: string): readonly number[] {
  const [root, ...steps] = path.split('/')
  if (root !== 'm') throw new KmsError('unexpected', 'malformed derivation path')
  return steps.map(step => {
    const number = Number.parseInt(step, 10)
    return step.endsWith("'") ? number + hardened : number
  })
}

/** CKDpriv of BIP-32. Wipes nothing of `parent`; the caller owns both. */
function childNode(parent: ExtendedKey, number: number): ExtendedKey {
  return parent.use(bytes => {
    const key = bytes.subarray(0, 32)
    const position = new Uint8Array(4)
    new DataView(position.buffer).setUint32(0, number)
    const data =
      number >= hardened ? [Uint8Array.of(0), key] : [publicKeyOf('secp256k1', key).bytes]
    const child = hmac('sha512', bytes.subarray(32), ...data, position)
    child.use(digest => addModOrder(digest.subarray(0, 32), key))
    return child
  })
}

/** `sum += addend` modulo the group order, on big-endian bytes: no BigInt copy of a key is made. */
function addModOrder(sum: Uint8Array, addend: Uint8Array): void {
  if (Buffer.compare(sum, order) >= 0) throw invalidChild()
  let carry = 0
  for (let i = 31; i >= 0; i--) {
    carry += (sum[i] ?? 0) + (addend[i] ?? 0)
    sum[i] = carry & 255
    carry >>= 8
  }
  if (carry > 0 || Buffer.compare(sum, order) >= 0) subtractOrder(sum)
  if (sum.every(byte => byte === 0)) throw invalidChild()
}

function subtractOrder(value: Uint8Array): void {
  let borrow = 0
  for (let i = 31; i >= 0; i--) {
    const difference = (value[i] ?? 0) - (order[i] ?? 0) - borrow
    value[i] = difference & 255
    borrow = difference < 0 ? 1 : 0
  }
}

/** BIP-32 says to skip such an index; its odds are below 2^-127, so refusing is enough. */
function invalidChild(): KmsError {
  return new KmsError('unexpected', 'this index has no key (BIP-32)')
}

/** First four bytes of HASH160 of the node's public key (BIP-32). */
function fingerprintOf(node: ExtendedKey): Uint8Array<ArrayBuffer> {
  const publicKey = node.use(bytes => publicKeyOf('secp256k1', bytes.subarray(0, 32)).bytes)
  const sha = createHash('sha256').update(publicKey).digest()
  return new Uint8Array(createHash('ripemd160').update(sha).digest().subarray(0, 4))
}

type Position = {
  readonly depth: number
  readonly fingerprint: Uint8Array
  readonly number: number
}

/** BIP-32 serialization format of the public node, in base58check. */
function serializePublic(node: ExtendedKey, position: Position, version: number): string {
  const head = new Uint8Array(13)
  const view = new DataView(head.buffer)
  view.setUint32(0, version)
  view.setUint8(4, position.depth)
  head.set(position.fingerprint, 5)
  view.setUint32(9, position.number)
  const payload = node.use(bytes =>
    concat(head, bytes.subarray(32), publicKeyOf('secp256k1', bytes.subarray(0, 32)).bytes),
  )
  const text = new Uint8Array(120)
  const length = encodeBase58(concat(payload, base58Checksum(payload)), text)
  return Buffer.from(text.subarray(0, length)).toString('ascii')
}
