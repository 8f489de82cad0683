import { decodeAbiParameters } from 'viem/utils'
import { KmsError } from '../../base/errors.ts'
import { asArray, asInteger, asRecord, asString } from '../../base/json.ts'
import type { Completion, HttpReads } from '../../base/model.ts'
import { readCompletionNumber } from './completion-number.ts'
import { type Hex, quantity } from './evm-tx.ts'
import { quoteReason } from './quoted-reason.ts'
import { refused } from './refusals.ts'
import { type FilledVetTx, intrinsicVetGas, maxGas, type VetTx } from './vet-tx.ts'

/** What the original adds to an estimate that executes something. */
const safetyGas = 15_000n

/** Asks a node for the gas, which is never taken from a payment, and the block to count from. */
export async function readVetCompletion(
  tx: VetTx,
  from: Hex,
  node: HttpReads,
): Promise<Completion> {
  const gas = (await estimateGas(tx, from, node)).toString()
  return tx.blockRef === undefined ? { gas, blockRef: await bestBlockRef(node) } : { gas }
}

/** The transaction with the fields it lacks taken from `completion`, which may hold nothing else. */
export function fillVet(asked: VetTx, completion: Completion): FilledVetTx {
  const { givenGas: _, gas: __, ...rest } = asked
  const lacking = asked.blockRef === undefined ? ['gas', 'blockRef'] : ['gas']
  if (Object.keys(completion).some(name => !lacking.includes(name))) {
    throw refused('completion sets a field that the transaction does not lack')
  }
  return {
    ...rest,
    gas: readCompletionNumber(completion, 'gas', {
      least: intrinsicVetGas(asked),
      most: maxGas,
    }),
    blockRef: asked.blockRef ?? readBlockRef(completion),
  }
}

async function estimateGas(tx: VetTx, from: Hex, node: HttpReads): Promise<bigint> {
  const { to = null, value, data, givenGas: gas } = tx
  const clauses = [{ to, value: quantity(value), data }]
  const call = { clauses, ...(gas !== undefined && { gas }), caller: from }
  const answers = asArray(await node.post('/accounts/*?revision=best', call))
  const answer = asRecord(answers?.[0])
  const gasUsed = asInteger(answer?.get('gasUsed'))
  const reverted = answer?.get('reverted')
  const vmError = asString(answer?.get('vmError')) ?? ''
  if (reverted === true || vmError !== '') {
    const reason = quoteReason(revertReason(answer?.get('data')) ?? vmError)
    throw refused(`the VeChain node says that the payment would fail: ${reason}`)
  }
  if (answers?.length !== 1 || reverted !== false || gasUsed === undefined || gasUsed < 0) {
    throw new KmsError('network', 'the VeChain node answered an estimate of the wrong shape')
  }
  const intrinsic = intrinsicVetGas(tx)
  return gasUsed === 0 ? intrinsic : intrinsic + BigInt(gasUsed) + safetyGas
}

/** What a contract says when it refuses: Error(string) of the Solidity ABI. */
function revertReason(data: unknown): string | undefined {
  try {
    const [, words = ''] = /^0x08c379a0((?:[0-9a-f]{64}){2,200})$/.exec(asString(data) ?? '') ?? []
    return decodeAbiParameters([{ type: 'string' }], `0x${words}`)[0]
  } catch {
    return undefined
  }
}

async function bestBlockRef(node: HttpReads): Promise<string> {
  const id = asString(asRecord(await node.get('/blocks/best'))?.get('id')) ?? ''
  if (/^0x[0-9a-f]{64}$/.test(id)) return id.slice(0, 18)
  throw new KmsError('network', 'the VeChain node answered a block of the wrong shape')
}

function readBlockRef({ blockRef: text = '' }: Completion): Hex {
  const [, digits] = /^0x([0-9a-f]{16})$/.exec(text) ?? []
  if (digits !== undefined) return `0x${digits}`
  throw refused('completion sets blockRef to something that is not 0x and 16 hex digits')
}
