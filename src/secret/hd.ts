import { createHash } from 'node:crypto'
import { HDKey } from '@scure/bip32'
import { concat } from '../base/bytes.ts'
import { KmsError } from '../base/errors.ts'
import type { Derivation, Network, PublicKey } from '../base/model.ts'
import { base58Checksum, encodeBase58 } from './base58.ts'
import { hmac, mnemonicSeed } from './kdf.ts'
import type { KeyRoom } from './key-room.ts'
import { addModOrder } from './scalar.ts'
import { allocateSecret, type Secret } from './secret.ts'

/** Indexes above this are hardened (BIP-32). */
export const highestIndex = 2 ** 31 - 1

/** A BIP-32 extended private key: 32 bytes key, then 32 bytes chain code. */
type ExtendedKey = Secret

/** What a mnemonic wallet keeps: the node whose children are its keys, and that node's public side. */
export type Account = { readonly node: ExtendedKey; readonly xpub: string }

/** Computes public keys where private keys may be used. */
export type PublicKeyOf = KeyRoom['publicKey']

/** The account node of a mnemonic. The caller wipes `node`. */
export async function deriveAccount(
  mnemonic: Secret,
  derivation: Derivation,
  network: Network,
  publicKeyOf: PublicKeyOf,
): Promise<Account> {
  using seed = mnemonicSeed(mnemonic)
  return await accountOfSeed(seed, derivation, network, publicKeyOf)
}

/** The account node of a seed: BIP-32 master key generation, then the steps of the path. */
export async function accountOfSeed(
  seed: Secret,
  derivation: Derivation,
  network: Network,
  publicKeyOf: PublicKeyOf,
): Promise<Account> {
  const steps = parsePath(derivation.path[network])
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
    const xpub = serializePublic(node, publicKey, position, derivation.xpub[network])
    return { node, xpub }
  } catch (fault) {
    node.wipe()
    throw fault
  }
}

/**
 * Private key `index` below the account node: 32 bytes, to be wiped by the caller.
 *
 * @param xpub of that node: the public key comes from there and not from the private one
 */
export function childPrivateKey(
  node: ExtendedKey,
  { xpub, version }: { readonly xpub: string; readonly version: number },
  index: number,
): Secret {
  const { publicKey } = parsePublic(xpub, version)
  if (publicKey === null) throw new KmsError('vault-damaged', 'a stored xpub has no public key')
  using child = childNode(node, checkedIndex(index), { curve: 'secp256k1', bytes: publicKey })
  const key = allocateSecret(32)
  child.use(from => key.use(to => to.set(from.subarray(0, 32))))
  return key
}

/** Public key `index` below an account's `xpub`, without any secret. */
export function childPublicKey(xpub: string, version: number, index: number): PublicKey {
  const { publicKey } = parsePublic(xpub, version).deriveChild(checkedIndex(index))
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

function checkedIndex(index: number): number {
  if (Number.isInteger(index) && index >= 0 && index <= highestIndex) return index
  throw new KmsError('usage', 'an index is a whole number from 0 to 2147483647')
}

const seedKey = new TextEncoder().encode('Bitcoin seed')
const hardened = 2 ** 31

/** `m/44'/60'/0'/0` → child numbers; paths are our own data, so a bad one is a bug. */
function parsePath(path: string): readonly number[] {
  if (!/^m(\/\d{1,10}'?)*$/.test(path)) throw malformedPath()
  return path
    .split('/')
    .slice(1)
    .map(step => {
      const number = Number.parseInt(step, 10)
      if (number > highestIndex) throw malformedPath()
      return step.endsWith("'") ? number + hardened : number
    })
}

function malformedPath(): KmsError {
  return new KmsError('unexpected', 'malformed derivation path')
}

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
