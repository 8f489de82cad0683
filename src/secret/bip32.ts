import { createHash } from 'node:crypto'
import { HDKey } from '@scure/bip32'
import { base58Checksum, encodeBase58 } from '../base/base58.ts'
import { concat } from '../base/bytes.ts'
import { KmsError } from '../base/errors.ts'
import type { PublicKey } from '../base/model.ts'
import { hardened, malformedPath, stepsOf } from './derivation-path.ts'
import { hmac } from './kdf.ts'
import type { KeyRoom } from './key-room.ts'
import { addModOrder } from './scalar.ts'
import { filledSecret, type Secret } from './secret.ts'

/** A BIP-32 extended private key: 32 bytes key, then 32 bytes chain code. */
type ExtendedKey = Secret

/** A serialized public node and the version bytes it must begin with. */
export type ExtendedPublicKey = { readonly xpub: string; readonly version: number }

/** The node of a seed at `path`: master key generation, then the steps. The caller wipes it. */
export async function deriveAccount(
  seed: Secret,
  { path, version }: { readonly path: string; readonly version: number },
  publicKeyOf: KeyRoom['publicKey'],
): Promise<{ readonly node: ExtendedKey; readonly xpub: string }> {
  const steps = stepsOf(path)
  let node = seed.use(bytes => hmac('sha512', seedKey, bytes))
  let fingerprint = new Uint8Array(4)
  for (const [i, step] of steps.entries()) {
    using parent = node
    // A hardened step needs no public key of its parent; the last one's goes into the xpub.
    const isLast = i === steps.length - 1
    const publicKey = step < hardened || isLast ? await publicKeyOf('secp256k1', parent) : undefined
    if (isLast && publicKey) fingerprint = fingerprintOf(publicKey)
    node = childNode(parent, step, publicKey)
  }
  const position = { depth: steps.length, fingerprint, number: steps.at(-1) ?? 0 }
  try {
    const publicKey = await publicKeyOf('secp256k1', node)
    return { node, xpub: serializePublic(node, publicKey, position, version) }
  } catch (fault) {
    node.wipe()
    throw fault
  }
}

/**
 * Private key `index` below the node: 32 bytes, to be wiped by the caller.
 *
 * @param from the same node's public side: the public key comes from there, not from the private one
 */
export function childPrivateKey(
  node: ExtendedKey,
  { xpub, version }: ExtendedPublicKey,
  index: number,
): Secret {
  const { publicKey } = parsePublic(xpub, version)
  if (publicKey === null) throw new KmsError('vault-damaged', 'a stored xpub has no public key')
  using child = childNode(node, index, { curve: 'secp256k1', bytes: publicKey })
  return child.use(bytes => filledSecret(32, key => key.set(bytes.subarray(0, 32))))
}

/** Public key `index` below a public node, without any secret. */
export function childPublicKey({ xpub, version }: ExtendedPublicKey, index: number): PublicKey {
  const { publicKey } = parsePublic(xpub, version).deriveChild(index)
  if (publicKey === null) throw new KmsError('vault-damaged', 'a stored xpub has no public key')
  return { curve: 'secp256k1', bytes: publicKey }
}

/**
 * Reading an xpub costs a third of deriving a key from it, and its wallet is asked again and again.
 * Public data; bounded for vaults with more wallets than are in use.
 */
const readXpubs = new Map<string, HDKey>()
const maxReadXpubs = 10_000

function parsePublic(xpub: string, version: number): HDKey {
  const name = `${version}/${xpub}`
  const known = readXpubs.get(name)
  if (known !== undefined) return known
  const node = readXpub(xpub, version)
  if (readXpubs.size >= maxReadXpubs) readXpubs.clear()
  readXpubs.set(name, node)
  return node
}

function readXpub(xpub: string, version: number): HDKey {
  try {
    return HDKey.fromExtendedKey(xpub, { private: 0, public: version })
  } catch (cause) {
    throw new KmsError('vault-damaged', 'a stored xpub cannot be read', { cause })
  }
}

const seedKey = new TextEncoder().encode('Bitcoin seed')

/**
 * CKDpriv of BIP-32. Wipes nothing of `parent`; the caller owns both. Where BIP-32 says to skip an
 * index that has no key, this refuses: the odds are below 2^-127.
 */
function childNode(
  parent: ExtendedKey,
  number: number,
  parentKey: PublicKey | undefined,
): ExtendedKey {
  return parent.use(bytes => {
    const key = bytes.subarray(0, 32)
    const position = new Uint8Array(4)
    new DataView(position.buffer).setUint32(0, number)
    if (number < hardened && parentKey === undefined) throw malformedPath()
    const data = parentKey && number < hardened ? [parentKey.bytes] : [Uint8Array.of(0), key]
    const child = hmac('sha512', bytes.subarray(32), ...data, position)
    if (child.use(digest => addModOrder(digest.subarray(0, 32), key))) return child
    child.wipe()
    throw new KmsError('unexpected', 'this index has no key (BIP-32)')
  })
}

/** First four bytes of HASH160 of a node's public key (BIP-32). */
function fingerprintOf({ bytes }: PublicKey): Uint8Array<ArrayBuffer> {
  const sha = createHash('sha256').update(bytes).digest()
  return new Uint8Array(createHash('ripemd160').update(sha).digest().subarray(0, 4))
}

type Position = {
  readonly depth: number
  readonly fingerprint: Uint8Array
  readonly number: number
}

/** BIP-32 serialization format of the public node, in base58check. */
function serializePublic(
  node: ExtendedKey,
  { bytes: publicKey }: PublicKey,
  { depth, fingerprint, number }: Position,
  version: number,
): string {
  const head = new Uint8Array(13)
  const view = new DataView(head.buffer)
  view.setUint32(0, version)
  view.setUint8(4, depth)
  head.set(fingerprint, 5)
  view.setUint32(9, number)
  const payload = node.use(bytes => concat(head, bytes.subarray(32), publicKey))
  const text = new Uint8Array(120)
  const length = encodeBase58(concat(payload, base58Checksum(payload)), text)
  return Buffer.from(text.subarray(0, length)).toString('ascii')
}
