import { KmsError } from '../../base/errors.ts'
import { asArray, asRecord, asString, encodeJson, type Json, parseJson } from '../../base/json.ts'
import type { AdaMade } from './ada-tx.ts'

/** A signature of the body, and whose. */
export type AdaSignature = {
  readonly address: string
  /** 32 bytes in hex. */
  readonly publicKey: string
  /** 64 bytes in hex. */
  readonly signature: string
}

export type AdaSigned = Pick<AdaMade, 'unsignedTransaction' | 'id'> & {
  readonly signatures: readonly AdaSignature[]
}

/** What the signer gives out: all that Rosetta's `combine` is told, but for the network. */
export function encodeSignedText(signed: AdaSigned): string {
  return encodeJson(combineRequest(signed))
}

/** Reads the one text that `encodeSignedText` would write. */
export function decodeSignedText(text: string): AdaSigned {
  const members = asRecord(parseJson(text))
  const signatures = asArray(members?.get('signatures')) ?? []
  const first = asRecord(signatures[0])
  const signed: AdaSigned = {
    unsignedTransaction: textAt(members, 'unsigned_transaction'),
    id: textAt(asRecord(first?.get('signing_payload')), 'hex_bytes'),
    signatures: signatures.map(readSignature),
  }
  if (encodeSignedText(signed) === text) return signed
  throw new KmsError('unexpected', 'the signed text is not one that was written here')
}

/** Rosetta, ConstructionCombineRequest. */
export function combineRequest({ unsignedTransaction, id, signatures }: AdaSigned) {
  return {
    unsigned_transaction: unsignedTransaction,
    signatures: signatures.map(({ address, publicKey, signature }) => ({
      signing_payload: {
        account_identifier: { address },
        signature_type: 'ed25519',
        hex_bytes: id,
      },
      public_key: { hex_bytes: publicKey, curve_type: 'edwards25519' },
      signature_type: 'ed25519',
      hex_bytes: signature,
    })),
  } satisfies Json
}

function readSignature(value: unknown): AdaSignature {
  const members = asRecord(value)
  const payload = asRecord(members?.get('signing_payload'))
  return {
    address: textAt(asRecord(payload?.get('account_identifier')), 'address'),
    publicKey: textAt(asRecord(members?.get('public_key')), 'hex_bytes'),
    signature: textAt(members, 'hex_bytes'),
  }
}

function textAt(members: ReadonlyMap<string, unknown> | undefined, name: string): string {
  return asString(members?.get(name)) ?? ''
}
