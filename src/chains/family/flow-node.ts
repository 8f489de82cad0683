import { fromHex, utf8 } from '../../base/bytes.ts'
import { KmsError } from '../../base/errors.ts'
import { asArray, asRecord, asString, type Json } from '../../base/json.ts'
import type { Network, NodeReads } from '../../base/model.ts'
import type { Hex } from './evm-tx.ts'
import type { SignedFlowTx } from './flow-rlp.ts'
import { type FlowKey, gasLimit, isOneKey } from './flow-tx.ts'
import { asQuantity } from './members.ts'

/** The REST interface of an access node (developers.flow.com, "Flow HTTP API"). */

const chainIds: Readonly<Record<Network, string>> = {
  mainnet: 'flow-mainnet',
  testnet: 'flow-testnet',
}

/**
 * Says what is wrong where the declared node is one of another network. A node that does not tell
 * is believed: the block that it names is valid on its own network only.
 */
export async function refuseOtherNetwork(node: NodeReads, network: Network): Promise<void> {
  const answer = asRecord(await node.find('/v1/network/parameters'))
  const id = asString(answer?.get('chain_id')) ?? chainIds[network]
  if (id === chainIds[network]) return
  throw new KmsError('network', `the Flow node is not one of ${chainIds[network]}`, {
    hint: 'set TATUM_KMS_FLOW_URL to an access node of this network',
  })
}

/** The id of a final block: from there the transaction lives for 600 blocks. */
export async function readReferenceBlock(node: NodeReads): Promise<string> {
  const header = await readHeader(node, '/v1/blocks?height=final&expand=payload')
  const id = asString(header?.get('id')) ?? ''
  if (/^[0-9a-f]{64}$/.test(id)) return id
  throw wrongShape('a block')
}

/** Hands a transaction in; answers what the node calls it. One that it has already is no fault. */
export async function sendTransaction(node: NodeReads, signed: SignedFlowTx): Promise<string> {
  const answer = asRecord(await node.post('/v1/transactions', restOf(signed)))
  const id = asString(answer?.get('id')) ?? ''
  if (/^[0-9a-f]{64}$/.test(id)) return id
  throw wrongShape('a transaction')
}

/**
 * The blocks after its reference block in which a transaction can be (flow-go,
 * DefaultTransactionExpiry), and as many again for a node to learn what was in them.
 */
const longExpired = 2n * 600n

/**
 * The height of a sealed block so long after the reference block that a transaction which was in no
 * block up to there can never run; undefined while there is none.
 */
export async function readHeightAfterExpiry(
  node: NodeReads,
  referenceBlock: string,
): Promise<bigint | undefined> {
  const [reference, sealed] = await Promise.all([
    readHeader(node, `/v1/blocks/${referenceBlock}`),
    readHeader(node, '/v1/blocks?height=sealed'),
  ])
  // A node that does not know the block is of a later network: it says nothing about this one.
  if (reference === undefined) return undefined
  const height = heightOf(sealed)
  return height - heightOf(reference) > longExpired ? height : undefined
}

type Header = ReadonlyMap<string, unknown>

async function readHeader(node: NodeReads, path: string): Promise<Header | undefined> {
  const found = await node.find(path)
  if (found === undefined) return undefined
  const [block] = asArray(found) ?? []
  const header = asRecord(asRecord(block)?.get('header'))
  if (header === undefined) throw wrongShape('a block')
  return header
}

function heightOf(header: Header | undefined): bigint {
  const height = asQuantity(header?.get('height'))
  if (height === undefined) throw wrongShape('a block')
  return height
}

/** Addresses and ids without 0x, numbers as text, bytes in base 64. */
function restOf({ tx, authorizer, proposer, payer }: SignedFlowTx): Json {
  const { script, args, account, frame } = tx
  const ours = signatureOf({ address: account, keyId: 0 }, authorizer)
  const proposed = isOneKey(frame) ? [] : [signatureOf(frame.proposer, proposer)]
  return {
    script: base64(utf8(script)),
    arguments: args.map(argument => base64(utf8(argument))),
    reference_block_id: frame.referenceBlock,
    gas_limit: `${gasLimit}`,
    payer: plain(frame.payer.address),
    proposal_key: {
      address: plain(frame.proposer.address),
      key_index: `${frame.proposer.keyId}`,
      sequence_number: `${frame.sequenceNumber}`,
    },
    authorizers: [plain(account)],
    payload_signatures: [...proposed, ours],
    envelope_signatures: [signatureOf(frame.payer, payer)],
  }
}

function signatureOf({ address, keyId }: FlowKey, signature: Hex): Json {
  return {
    address: plain(address),
    key_index: `${keyId}`,
    signature: base64(fromHex(plain(signature)) ?? new Uint8Array()),
  }
}

function plain(digits: Hex): string {
  return digits.slice(2)
}

function base64(bytes: Uint8Array): string {
  return bytes.toBase64()
}

export function wrongShape(what: string): KmsError {
  return new KmsError('network', `the Flow node answered ${what} of the wrong shape`)
}
