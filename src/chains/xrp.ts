import { createHash } from 'node:crypto'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { concat, fromHex, hex } from '../base/bytes.ts'
import { KmsError } from '../base/errors.ts'
import { asRecord } from '../base/json.ts'
import type { PublicKey } from '../base/model.ts'
import { defineChain, type Own } from './chain.ts'
import { bip32Keys } from './family/bip32-paths.ts'
import { fillNothing } from './family/complete.ts'
import { rememberedOf } from './family/remembered.ts'
import { firstKey, onlySignature, ownKey } from './family/single-key.ts'
import { accountText } from './family/xrp-address.ts'
import { describeTx } from './family/xrp-intent.ts'
import { decodeXrpJson, readTx } from './family/xrp-json.ts'
import { decodeFields, encodeFields, encodeForSigning } from './family/xrp-library.ts'
import type { XrpTx } from './family/xrp-types.ts'

/** HashPrefix::transactionID, 'TXN' */
const idPrefix = Uint8Array.of(0x54, 0x58, 0x4e, 0x00)

export const xrp = defineChain<XrpTx>({
  id: 'XRP',
  name: 'XRP Ledger',
  key: {
    curve: 'secp256k1',
    // SLIP-44: 144. Both networks: that is where wallets of the ledger look.
    derivation: bip32Keys("m/44'/144'/0'/0"),
    text: { kind: 'family-seed' },
  },
  generates: 'key',
  walletShape: ['address', 'secret', 'mnemonic', 'xpub'],
  address: publicKey => addressOf(publicKey),
  keys: firstKey,
  decode: (serialized, own) => decodeXrpJson(serialized, addressOf(ownKey(own)), own.settings),
  intent: describeTx,
  fill: fillNothing,
  claims: ({ Account, Sequence }) => [`sequence/${Account}/${Sequence}`],
  messages: (tx, own) => [signingRequest(tx, ownKey(own))],
  assemble(tx, own, signatures) {
    const publicKey = ownKey(own)
    const signature = signatureText(onlySignature(signatures).bytes, publicKey)
    const SigningPubKey = publicKeyText(publicKey)
    const txData =
      withSignature(signingText(tx, SigningPubKey), SigningPubKey, signature) ??
      encodeFields({ ...tx, SigningPubKey, TxnSignature: signature })
    return { txData, txId: hex(sha512Half(concat(idPrefix, bytesOf(txData)))).toUpperCase() }
  },
  decodeSigned: readSigned,
  // DESIGN 6: 2 XRP
  feeCap: () => 2_000_000n,
  order: 'free',
  // XRPL docs, "Reliable transaction submission": LastLedgerSequence is some 20 ledgers ahead, of 4 s.
  lifetime: () => 80_000,
  broadcast: { path: '/v3/xrp/broadcast', offchain: false },
})

function signingRequest(tx: XrpTx, publicKey: PublicKey) {
  const message = bytesOf(signingText(tx, publicKeyText(publicKey)))
  // XRPL, "Cryptographic Keys": ed25519 signs the bytes, secp256k1 half of their SHA-512.
  return publicKey.curve === 'ed25519'
    ? ({ key: 0, algorithm: 'ed25519', message } as const)
    : ({ key: 0, algorithm: 'ecdsa-secp256k1', message: sha512Half(message) } as const)
}

const written = rememberedOf<XrpTx, string>()

/** What is signed of a transaction, in hex. It is written once: the library takes its time. */
function signingText(tx: XrpTx, SigningPubKey: string): string {
  return written(tx, () => encodeForSigning({ ...tx, SigningPubKey }))
}

/** HashPrefix::txSign, 'STX' */
const signingPrefix = '53545800'

/**
 * What is signed is all of a transaction but for its signature, behind a prefix. Fields are in the
 * order of their codes (XRPL, "Serialization Format"): TxnSignature, 74, comes right behind
 * SigningPubKey, 73. Undefined where more than one place looks like that.
 */
function withSignature(text: string, publicKey: string, signature: string): string | undefined {
  const field = `73${blob(publicKey)}`
  const [head, tail, ...others] = text.slice(signingPrefix.length).split(field)
  if (head === undefined || tail === undefined || others.length > 0) return undefined
  return `${head}${field}74${blob(signature)}${tail}`
}

/** At most 192 bytes of hex, as the format has them: behind their length. */
function blob(digits: string): string {
  return `${hex(Uint8Array.of(digits.length / 2)).toUpperCase()}${digits}`
}

function readSigned(txData: string, _tx: XrpTx, own: Own): XrpTx {
  const decoded = decodeFields(txData)
  const members = new Map(asRecord(decoded))
  const isOurs = members.get('SigningPubKey') === publicKeyText(ownKey(own))
  const isWhole = typeof decoded === 'object' && decoded !== null
  if (!isOurs || !members.has('TxnSignature') || !isWhole || encodeFields(decoded) !== txData) {
    throw new KmsError('unexpected', 'the signed bytes are not those of a transaction we signed')
  }
  members.delete('SigningPubKey')
  members.delete('TxnSignature')
  return readTx(members, addressOf(ownKey(own)), own.settings)
}

function addressOf(publicKey: PublicKey): string {
  return accountText(digest('ripemd160', digest('sha256', bytesOf(publicKeyText(publicKey)))))
}

/** 33 bytes: a compressed point, or ED and the 32 bytes of an ed25519 key. */
function publicKeyText({ curve, bytes }: PublicKey): string {
  if (curve === 'ed25519' && bytes.length === 32) return `ED${hex(bytes).toUpperCase()}`
  if (curve === 'secp256k1' && bytes.length === 33) return hex(bytes).toUpperCase()
  throw new KmsError('unexpected', 'a key is not one of the XRP Ledger')
}

function signatureText(signature: Uint8Array, { curve }: PublicKey): string {
  const bytes =
    curve === 'ed25519' ? signature : secp256k1.Signature.fromBytes(signature).toBytes('der')
  return hex(bytes).toUpperCase()
}

function sha512Half(bytes: Uint8Array): Uint8Array {
  return digest('sha512', bytes).subarray(0, 32)
}

function digest(name: 'ripemd160' | 'sha256' | 'sha512', bytes: Uint8Array): Uint8Array {
  return createHash(name).update(bytes).digest()
}

function bytesOf(digits: string): Uint8Array {
  const bytes = fromHex(digits)
  if (bytes === undefined) throw new KmsError('unexpected', 'the codec answered something else')
  return bytes
}
