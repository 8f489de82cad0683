import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { type Item, readRlp, writeRlp } from './rlp.ts'

/** Flow's transactions by its documentation ("Transaction signing"): no code of the program. */

export type FlowKeyName = { readonly address: string; readonly keyIndex: number }
export type FlowSignature = FlowKeyName & { readonly signature: string }

export type ReadFlow = {
  readonly script: string
  /** JSON-Cadence, parsed. */
  readonly args: readonly { readonly type: string; readonly value: unknown }[]
  readonly referenceBlock: string
  readonly gasLimit: number
  readonly proposer: FlowKeyName & { readonly sequenceNumber: number }
  readonly payer: string
  readonly authorizers: readonly string[]
  readonly payloadSignatures: readonly FlowSignature[]
  readonly envelopeSignatures: readonly FlowSignature[]
}

/** As the program hands a transaction on: all three parts in RLP, in hex. */
export function readFlow(txData: string): ReadFlow {
  const bytes = Buffer.from(txData.slice(2), 'hex')
  const [payload, inside, outside] = listOf(readRlp(bytes))
  assert(txData === `0x${Buffer.from(writeRlp(readRlp(bytes))).toString('hex')}`, 'respelled')
  const [script, args, block, gas, proposer, keyIndex, sequence, payer, authorizers, ...more] =
    listOf(payload)
  assert(more.length === 0, 'with something more')
  const accounts = listOf(authorizers).map(hexOf)
  const signers = [...new Set([hexOf(proposer), hexOf(payer), ...accounts])]
  const signaturesOf = (list: Item | undefined) =>
    listOf(list).map(entry => {
      const [signer, key, signature] = listOf(entry)
      const address = signers[numberOf(signer)] ?? 'nobody'
      return { address, keyIndex: numberOf(key), signature: hexOf(signature) }
    })
  return {
    script: textOf(script),
    args: listOf(args).map(item => JSON.parse(textOf(item))),
    referenceBlock: hexOf(block),
    gasLimit: numberOf(gas),
    proposer: {
      address: hexOf(proposer),
      keyIndex: numberOf(keyIndex),
      sequenceNumber: numberOf(sequence),
    },
    payer: hexOf(payer),
    authorizers: accounts,
    payloadSignatures: signaturesOf(inside),
    envelopeSignatures: signaturesOf(outside),
  }
}

/** As an access node takes it: `POST /v1/transactions`. */
export function readFlowRest(body: unknown): ReadFlow {
  // Whatever it is, its members are looked at one by one.
  const tx = body as Record<string, never>
  const proposal = tx['proposal_key'] as unknown as Record<string, string>
  const text = (base64: string) => Buffer.from(base64, 'base64').toString()
  const signatures = (list: readonly Record<string, string>[]) =>
    list.map(({ address = '', key_index, signature = '' }) => ({
      address,
      keyIndex: Number(key_index),
      signature: Buffer.from(signature, 'base64').toString('hex'),
    }))
  return {
    script: text(tx['script'] ?? ''),
    args: (tx['arguments'] ?? ([] as readonly string[])).map((arg: string) =>
      JSON.parse(text(arg)),
    ),
    referenceBlock: String(tx['reference_block_id']),
    gasLimit: Number(tx['gas_limit']),
    proposer: {
      address: proposal['address'] ?? '',
      keyIndex: Number(proposal['key_index']),
      sequenceNumber: Number(proposal['sequence_number']),
    },
    payer: String(tx['payer']),
    authorizers: tx['authorizers'] ?? [],
    payloadSignatures: signatures(tx['payload_signatures'] ?? []),
    envelopeSignatures: signatures(tx['envelope_signatures'] ?? []),
  }
}

/** What each of the signers inside signs, hashed. */
export function payloadDigest(tx: ReadFlow): Buffer {
  return digestOf(writeRlp(payloadOf(tx)))
}

/** What the payer signs, hashed. */
export function envelopeDigest(tx: ReadFlow): Buffer {
  return digestOf(writeRlp([payloadOf(tx), signatureItems(tx, tx.payloadSignatures)]))
}

export function flowTxId(tx: ReadFlow): string {
  const inside = signatureItems(tx, tx.payloadSignatures)
  const outside = signatureItems(tx, tx.envelopeSignatures)
  return sha3(writeRlp([payloadOf(tx), inside, outside])).toString('hex')
}

/** The domain of a transaction, padded to 32 bytes, before what is signed. */
export const domain = Buffer.from('FLOW-V0.0-transaction'.padEnd(32, '\0'))

export function sha3(bytes: Uint8Array): Buffer {
  return createHash('sha3-256').update(bytes).digest()
}

function digestOf(message: Uint8Array): Buffer {
  return sha3(Buffer.concat([domain, message]))
}

function payloadOf(tx: ReadFlow): Item {
  const { proposer } = tx
  return [
    Buffer.from(tx.script),
    tx.args.map(arg => Buffer.from(JSON.stringify(arg))),
    Buffer.from(tx.referenceBlock, 'hex'),
    bytesOf(tx.gasLimit),
    Buffer.from(proposer.address, 'hex'),
    bytesOf(proposer.keyIndex),
    bytesOf(proposer.sequenceNumber),
    Buffer.from(tx.payer, 'hex'),
    tx.authorizers.map(address => Buffer.from(address, 'hex')),
  ]
}

function signatureItems(tx: ReadFlow, signatures: readonly FlowSignature[]): Item {
  const signers = [...new Set([tx.proposer.address, tx.payer, ...tx.authorizers])]
  return signatures.map(({ address, keyIndex, signature }) => [
    bytesOf(signers.indexOf(address)),
    bytesOf(keyIndex),
    Buffer.from(signature, 'hex'),
  ])
}

function listOf(item: Item | undefined): readonly Item[] {
  assert(item !== undefined && !(item instanceof Uint8Array), 'bytes in the place of a list')
  return item
}

function bufferOf(item: Item | undefined): Buffer {
  assert(item instanceof Uint8Array, 'a list in the place of bytes')
  return Buffer.from(item)
}

function hexOf(item: Item | undefined): string {
  return bufferOf(item).toString('hex')
}

function textOf(item: Item | undefined): string {
  return bufferOf(item).toString()
}

function numberOf(item: Item | undefined): number {
  const digits = hexOf(item)
  assert(!digits.startsWith('00'), 'a number with zeros in front')
  return Number(`0x${digits || '0'}`)
}

function bytesOf(value: number): Buffer {
  if (value === 0) return Buffer.alloc(0)
  const digits = value.toString(16)
  return Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex')
}
