import { fromHex, utf8 } from '../../base/bytes.ts'
import { KmsError } from '../../base/errors.ts'
import { asArray, asInteger, asRecord, asString, type Json } from '../../base/json.ts'
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

export async function readSequenceNumber(node: NodeReads, proposer: FlowKey): Promise<number> {
  const address = proposer.address.slice(2)
  const query = 'block_height=sealed&expand=contracts,keys'
  const account = asRecord(await node.get(`/v1/accounts/${address}?${query}`))
  const keys = asArray(account?.get('keys'))?.map(asRecord)
  const key = keys?.find(found => asQuantity(found?.get('index')) === BigInt(proposer.keyId))
  const number = asQuantity(key?.get('sequence_number'))
  if (number === undefined || number > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw wrongShape('the account of the proposer')
  }
  return Number(number)
}

/** Hands a transaction in; answers what the node calls it. One that it has already is no fault. */
export async function sendTransaction(node: NodeReads, signed: SignedFlowTx): Promise<string> {
  const answer = asRecord(await node.post('/v1/transactions', restOf(signed)))
  const id = asString(answer?.get('id')) ?? ''
  if (/^[0-9a-f]{64}$/.test(id)) return id
  throw wrongShape('a transaction')
}

type Fate = 'open' | 'unknown' | 'done' | 'failed' | 'expired'

/** What came of a transaction, as far as the node knows. */
export async function findFate(node: NodeReads, id: string): Promise<Fate> {
  const found = await node.find(`/v1/transaction_results/${id}`)
  if (found === undefined) return 'unknown'
  const result = asRecord(found)
  const status = asString(result?.get('status'))
  const error = asString(result?.get('error_message'))
  const code = asInteger(result?.get('status_code'))
  if (status === 'Expired') return 'expired'
  if (status === undefined || error === undefined || code === undefined) {
    throw wrongShape('a result')
  }
  if (status !== 'Sealed') return 'open'
  return error === '' && code === 0 ? 'done' : 'failed'
}

/**
 * The blocks after its reference block in which a transaction can be (flow-go,
 * DefaultTransactionExpiry), and as many again for a node to learn what was in them.
 */
const longExpired = 2n * 600n

/** Whether so much time has gone by that a transaction which no node knows can never run. */
export async function isLongExpired(node: NodeReads, referenceBlock: string): Promise<boolean> {
  const [reference, sealed] = await Promise.all([
    readHeader(node, `/v1/blocks/${referenceBlock}`),
    readHeader(node, '/v1/blocks?height=sealed'),
  ])
  // A node that does not know the block is of a later network: it says nothing about this one.
  if (reference === undefined) return false
  return heightOf(sealed) - heightOf(reference) > longExpired
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

function wrongShape(what: string): KmsError {
  return new KmsError('network', `the Flow node answered ${what} of the wrong shape`)
}
