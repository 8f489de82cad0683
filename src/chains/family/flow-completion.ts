import type { ChainReads, Completion, Network } from '../../base/model.ts'
import { readCompletionNumber } from './completion-number.ts'
import type { Hex } from './evm-tx.ts'
import { readSequenceNumber } from './flow-account.ts'
import { readReferenceBlock, refuseOtherNetwork } from './flow-node.ts'
import { borrowKey, maxKeyId, releaseKey } from './flow-proposal.ts'
import type { FilledFlowTx, FlowTx } from './flow-tx.ts'
import { refused } from './refusals.ts'

const fields = [
  'referenceBlock',
  'proposer',
  'proposerKeyId',
  'sequenceNumber',
  'payer',
  'payerKeyId',
] as const

type Field = (typeof fields)[number]

export async function readFlowCompletion(network: Network, reads: ChainReads): Promise<Completion> {
  const node = reads.node('flow')
  const [payer, referenceBlock] = await Promise.all([
    borrowKey('payer', reads),
    readReferenceBlock(node),
    refuseOtherNetwork(node, network),
  ])
  // Last, so that it is lent for nothing as seldom as can be.
  const proposer = await borrowKey('proposer', reads)
  try {
    const sequenceNumber = await readSequenceNumber(node, proposer, 'sealed')
    return {
      referenceBlock,
      proposer: proposer.address,
      proposerKeyId: `${proposer.keyId}`,
      sequenceNumber: `${sequenceNumber}`,
      payer: payer.address,
      payerKeyId: `${payer.keyId}`,
    } satisfies Record<Field, string>
  } catch (thrown) {
    await releaseKey(proposer.keyId, '', reads)
    throw thrown
  }
}

/** The transaction with what completion adds, which must be all of it and nothing else. */
export function fillFlow(asked: FlowTx, completion: Completion): FilledFlowTx {
  const known: readonly string[] = fields
  if (Object.keys(completion).some(name => !known.includes(name))) {
    throw refused('completion sets a field that the transaction does not lack')
  }
  const frame = {
    referenceBlock: readBlock(completion),
    proposer: readKey(completion, 'proposer', 'proposerKeyId'),
    sequenceNumber: readNumber(completion, 'sequenceNumber', BigInt(Number.MAX_SAFE_INTEGER)),
    payer: readKey(completion, 'payer', 'payerKeyId'),
  }
  // The account would pay the fee, or have its own key's sequence number counted on.
  if ([frame.proposer, frame.payer].some(({ address }) => address === asked.account)) {
    throw refused('the account that is to be debited would also propose or pay for the transaction')
  }
  return { ...asked, frame }
}

function readBlock({ referenceBlock }: Completion): string {
  if (referenceBlock !== undefined && /^[0-9a-f]{64}$/.test(referenceBlock)) return referenceBlock
  throw refused('completion does not set referenceBlock to 64 hex digits')
}

function readKey(completion: Completion, address: Field, keyId: Field) {
  const [, digits] = /^0x([0-9a-f]{16})$/.exec(completion[address] ?? '') ?? []
  if (digits === undefined)
    throw refused(`completion does not set ${address} to 0x and 16 hex digits`)
  const lent: Hex = `0x${digits}`
  return { address: lent, keyId: readNumber(completion, keyId, maxKeyId) }
}

function readNumber(completion: Completion, field: Field, most: bigint): number {
  return Number(readCompletionNumber(completion, field, { least: 0n, most }))
}
