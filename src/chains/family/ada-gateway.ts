import { ed25519 } from '@noble/curves/ed25519.js'
import { equalBytes, fromHex } from '../../base/bytes.ts'
import { KmsError } from '../../base/errors.ts'
import { asArray, asRecord, asString, type Json } from '../../base/json.ts'
import type { Completion, HttpReads, Network, Signed } from '../../base/model.ts'
import { enterpriseAddress } from './ada-address.ts'
import { type AdaBody, type AdaWitness, readSigned, readUnsigned } from './ada-body.ts'
import {
  type AdaSignature,
  type AdaSigned,
  combineRequest,
  decodeSignedText,
} from './ada-signed-text.ts'
import type { AdaTx } from './ada-tx.ts'
import { refused } from './refusals.ts'

type Reads = Pick<HttpReads, 'post'>
type JsonObject = Readonly<Record<string, Json | undefined>>

const networkNames = { mainnet: 'mainnet', testnet: 'preprod' } as const
/** Slots, some 17 minutes: what the original asks for. */
export const lifetime = { relative_ttl: 1_000 }

/** Has the gateway make a transaction of the operations, by Rosetta's construction API (protocol 9). */
export async function readMade(
  { operations }: AdaTx,
  network: Network,
  reads: Reads,
): Promise<Completion> {
  const preprocessed = await ask('preprocess', { operations, metadata: lifetime }, network, reads)
  const metadata = await ask('metadata', preprocessed, network, reads)
  const answer = await ask('payloads', { ...metadata, operations }, network, reads)
  const unsignedTransaction = textAt(answer, 'unsigned_transaction')
  const { id } = readUnsigned(unsignedTransaction, network)
  return { unsignedTransaction, signers: readSigners(answer['payloads'], id).join() }
}

/** Has the gateway put our signatures beside the body they are of; it may add nothing else. */
export async function combine(txData: string, network: Network, reads: Reads): Promise<Signed> {
  const signed = decodeSignedText(txData)
  const body = readUnsigned(signed.unsignedTransaction, network)
  refuseInvalid(signed, body, network)
  const answer = await ask('combine', combineRequest(signed), network, reads)
  const combined = textAt(answer, 'signed_transaction')
  const { body: signedBody, witnesses } = readSigned(combined)
  if (!equalBytes(signedBody, body.bytes)) {
    throw refused('the gateway combined the signatures with another transaction')
  }
  const ours = signed.signatures.map(witnessText).toSorted()
  if (ours.join() !== witnesses.map(witnessText).toSorted().join()) {
    throw refused('the gateway combined the transaction with other signatures')
  }
  return { txData: combined, txId: body.id }
}

async function ask(
  step: string,
  body: JsonObject,
  network: Network,
  reads: Reads,
): Promise<JsonObject> {
  const name = networkNames[network]
  const path = `/v3/blockchain/node/cardano-${name}/{apiKey}/construction/${step}`
  const network_identifier = { blockchain: 'cardano', network: name }
  const answer = asRecord(await reads.post(path, { ...body, network_identifier }))
  if (answer === undefined) throw new KmsError('network', `the answer to ${step} is not an object`)
  // It came out of a JSON text.
  return Object.fromEntries(answer) as JsonObject
}

function textAt(answer: JsonObject, name: string): string {
  const text = asString(answer[name])
  if (text !== undefined) return text
  throw new KmsError('network', `the gateway answered without ${name}`)
}

/** Whom the gateway wants signatures of. What of is its own claim: `id` is what they are made of. */
function readSigners(payloads: unknown, id: string): readonly string[] {
  const list = asArray(payloads)
  if (list === undefined) throw new KmsError('network', 'the gateway answered without payloads')
  return list.map(payload => {
    const members = asRecord(payload)
    if (members?.get('hex_bytes') !== id) {
      throw refused('the gateway asks to sign something else than the transaction it made')
    }
    const account = asRecord(members.get('account_identifier'))
    const address = asString(account?.get('address'))
    if (address !== undefined) return address
    throw new KmsError('network', 'the gateway asks for a signature and does not say of whom')
  })
}

/** What the journal holds was written by the signer, and is still what it was. */
function refuseInvalid({ id, signatures }: AdaSigned, body: AdaBody, network: Network): void {
  const isValid = signatures.every(signature => verifies(signature, body.id, network))
  if (id === body.id && isValid) return
  throw new KmsError('unexpected', 'the signed text holds a signature that does not verify')
}

function verifies(
  { address, publicKey, signature }: AdaSignature,
  id: string,
  network: Network,
): boolean {
  const [bytes, signed, message] = [publicKey, signature, id].map(fromHex)
  if (bytes?.length !== 32 || signed?.length !== 64 || message === undefined) return false
  if (enterpriseAddress({ curve: 'ed25519-bip32', bytes }, network) !== address) return false
  // Nodes verify as RFC 8032 says, not as ZIP-215 does.
  return ed25519.verify(signed, message, bytes, { zip215: false })
}

function witnessText({ publicKey, signature }: AdaWitness): string {
  return `${publicKey} ${signature}`
}
