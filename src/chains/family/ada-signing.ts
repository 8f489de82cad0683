import { fromHex, hex } from '../../base/bytes.ts'
import { KmsError } from '../../base/errors.ts'
import type { Network, Signature, Signed, SigningRequest } from '../../base/model.ts'
import type { Own } from '../chain.ts'
import { ownAddresses } from './ada-address.ts'
import { type AdaBody, readUnsigned } from './ada-body.ts'
import { decodeSignedText, encodeSignedText } from './ada-signed-text.ts'
import { type AdaMade, type AdaTx, feeOf, outpointOf } from './ada-tx.ts'
import { refused } from './refusals.ts'

/** `tx` with the transaction that the gateway made of it, which must be exactly what it says. */
export function withMade(
  tx: AdaTx,
  { unsignedTransaction, signers }: Pick<AdaMade, 'unsignedTransaction' | 'signers'>,
  network: Network,
): AdaTx {
  const body = readUnsigned(unsignedTransaction, network)
  refuseOther(tx, body)
  refuseOtherSigners(tx, signers)
  const { id, ttl } = body
  return { ...tx, made: { unsignedTransaction, id, ttl, signers } }
}

export function signingRequests(tx: AdaTx, own: Own): readonly SigningRequest[] {
  const { id, signers } = madeOf(tx)
  const message = fromHex(id)
  if (message === undefined) throw new KmsError('unexpected', 'the id of a transaction is not hex')
  const places = ownAddresses(own)
  return signers.map(signer => {
    const key = places.get(signer)
    if (key === undefined) throw notOurs()
    return { key, algorithm: 'ed25519-bip32', message }
  })
}

export function assembleSigned(tx: AdaTx, own: Own, signatures: readonly Signature[]): Signed {
  const { id, unsignedTransaction, signers } = madeOf(tx)
  if (signatures.length !== signers.length) {
    throw new KmsError('unexpected', 'a transaction of this chain takes one signature per key')
  }
  const publicKeys = publicKeysOf(signers, own)
  const parts = signatures.map(({ bytes }, i) => ({
    address: signers[i] ?? '',
    publicKey: publicKeys[i] ?? '',
    signature: hex(bytes),
  }))
  return { txData: encodeSignedText({ unsignedTransaction, id, signatures: parts }), txId: id }
}

/** Reads back what `assembleSigned` wrote: the same transaction, signed by our keys. */
export function readSignedText(txData: string, { made: _, ...asked }: AdaTx, own: Own): AdaTx {
  const { unsignedTransaction, id, signatures } = decodeSignedText(txData)
  const signers = signatures.map(({ address }) => address)
  const signed = withMade(asked, { unsignedTransaction, signers }, own.network)
  const publicKeys = publicKeysOf(signers, own)
  const areOurs = signatures.every(({ publicKey }, i) => publicKey === publicKeys[i])
  if (areOurs && signed.made?.id === id) return signed
  throw notOurs()
}

/** A set of inputs has no order; the outputs are numbered. */
function refuseOther(tx: AdaTx, { spent, outputs, fee }: AdaBody): void {
  const asked = tx.inputs.map(outpointOf)
  if (asked.toSorted().join() !== spent.toSorted().join()) {
    throw refused('the gateway made a transaction that spends other inputs than asked for')
  }
  if (tx.outputs.map(outputText).join() !== outputs.map(outputText).join()) {
    throw refused('the gateway made a transaction that pays otherwise than asked for')
  }
  if (fee !== feeOf(tx)) {
    throw refused(`the gateway made a transaction with a fee of ${fee} instead of ${feeOf(tx)}`)
  }
}

function outputText({ address, lovelace }: AdaTx['outputs'][number]): string {
  return `${address} ${lovelace}`
}

function refuseOtherSigners({ inputs }: AdaTx, signers: readonly string[]): void {
  const owners = new Set(inputs.map(({ address }) => address))
  if (signers.length === owners.size && owners.isSubsetOf(new Set(signers))) return
  throw refused('the gateway asks for other signatures than those of the inputs')
}

function madeOf({ made }: AdaTx): AdaMade {
  if (made === undefined) throw new KmsError('unexpected', 'a transaction came without its body')
  return made
}

/** In hex, in the order of their addresses. */
function publicKeysOf(signers: readonly string[], own: Own): readonly string[] {
  const places = ownAddresses(own)
  return signers.map(signer => {
    const key = own.keys[places.get(signer) ?? -1]
    if (key === undefined) throw notOurs()
    return hex(key.bytes)
  })
}

function notOurs(): KmsError {
  return new KmsError('unexpected', 'the signed bytes are not those of a transaction we signed')
}
