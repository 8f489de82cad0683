import { getAddress } from 'viem/utils'
import { KmsError } from '../../base/errors.ts'
import { asRecord, asString, type Json } from '../../base/json.ts'
import type { ChainReads, Completion } from '../../base/model.ts'
import { asQuantity, maxNonce } from './evm-json.ts'
import { type EvmTx, type FilledTx, type Hex, intrinsicGas } from './evm-tx.ts'

/** Where the front reads what a payment came without (protocol 4.2). */
export type EvmSources = {
  readonly rpcPath: string
  readonly nonce: { readonly countPath: string }
  readonly gasPrice: { readonly feePath: string }
}

type Field = 'gas' | 'nonce' | 'gasPrice'

/** Bounds of what a server may answer; beyond them the answer is a lie or a mistake. */
const limits: Readonly<Record<Field, bigint>> = {
  gas: 100_000_000n,
  nonce: maxNonce,
  // Ten million gwei: a plain transfer at this price costs 210 coins.
  gasPrice: 10n ** 16n,
}

/** Asks for what `tx` lacks. The chain id is never asked for: it is known. */
export async function readCompletion(
  tx: EvmTx,
  from: Hex,
  sources: EvmSources,
  reads: ChainReads,
): Promise<Completion> {
  const readers: Readonly<Record<Field, () => Promise<bigint>>> = {
    gas: () => estimateGas(tx, from, sources, reads),
    nonce: () => nextNonce(from, sources, reads),
    gasPrice: () => currentGasPrice(sources, reads),
  }
  const read = async (field: Field) => [field, (await readers[field]()).toString()] as const
  return Object.fromEntries(await Promise.all(lackingFields(tx).map(read)))
}

/** `asked` with every field it lacks taken from `completion`, which may hold nothing else. */
export function fillIn(asked: EvmTx, completion: Completion): FilledTx {
  const lacking: readonly string[] = lackingFields(asked)
  if (Object.keys(completion).some(name => !lacking.includes(name))) {
    throw refused('completion sets a field that the transaction does not lack')
  }
  const added = (field: Field) => readAdded(completion, field)
  const {
    offeredGas: _,
    gas = added('gas'),
    nonce = Number(added('nonce')),
    price = added('gasPrice'),
    ...rest
  } = asked
  const tx = { ...rest, gas, nonce, price }
  const least = intrinsicGas(tx)
  if (gas < least) throw refused(`gas is ${gas}, but this transaction needs at least ${least}`)
  return tx
}

function lackingFields({ gas, nonce, price }: EvmTx): readonly Field[] {
  const fields: readonly (readonly [Field, unknown])[] = [
    ['gas', gas],
    ['nonce', nonce],
    ['gasPrice', price],
  ]
  return fields.filter(([, value]) => value === undefined).map(([field]) => field)
}

function readAdded(completion: Completion, field: Field): bigint {
  const text = asString(completion[field])
  if (text === undefined) throw refused(`the transaction has no ${field} and completion adds none`)
  const value = /^(0|[1-9]\d{0,18})$/.test(text) ? BigInt(text) : undefined
  if (value === undefined || !isWithin(field, value)) {
    throw refused(`completion sets ${field} to something that is not ${explain(field)}`)
  }
  return value
}

async function estimateGas(
  tx: EvmTx,
  from: Hex,
  { rpcPath }: EvmSources,
  reads: ChainReads,
): Promise<bigint> {
  const gas = await reads.rpc(rpcPath, 'eth_estimateGas', [callObject(tx, from)])
  return checkAnswer('gas', gas, 'eth_estimateGas')
}

/** What a node is asked to try: members the transaction has, in hex (execution API, eth_call). */
function callObject(tx: EvmTx, from: Hex): Json {
  const { type, to, value, data, offeredGas, nonce, price, tip, accessList } = tx
  return {
    from,
    ...(to !== undefined && { to }),
    ...(value > 0n && { value: quantity(value) }),
    ...(data !== '0x' && { data }),
    ...(offeredGas !== undefined && { gas: quantity(offeredGas) }),
    ...(nonce !== undefined && { nonce: quantity(nonce) }),
    ...(price !== undefined && type !== 'eip1559' && { gasPrice: quantity(price) }),
    ...(price !== undefined &&
      type === 'eip1559' && {
        maxFeePerGas: quantity(price),
        maxPriorityFeePerGas: quantity(tip),
      }),
    ...(accessList.length > 0 && { accessList }),
  }
}

function quantity(value: bigint | number): Hex {
  return `0x${value.toString(16)}`
}

/** The server does not count what it has not seen yet; our own record does. */
async function nextNonce(from: Hex, { nonce }: EvmSources, reads: ChainReads): Promise<bigint> {
  const [answer, own = 0n] = await Promise.all([
    reads.get(`${nonce.countPath}${getAddress(from)}`),
    reads.nextNonce(from),
  ])
  const count = checkAnswer('nonce', answer, 'the transaction count')
  if (own > count) return own
  return count
}

async function currentGasPrice({ gasPrice }: EvmSources, reads: ChainReads): Promise<bigint> {
  const answer = asRecord(await reads.get(gasPrice.feePath))
  return checkAnswer('gasPrice', answer?.get('medium'), 'the medium fee')
}

function checkAnswer(field: Field, answer: unknown, what: string): bigint {
  const value = asQuantity(answer)
  if (value === undefined || !isWithin(field, value)) {
    throw new KmsError('network', `the answer for ${what} is not ${explain(field)}`)
  }
  return value
}

function isWithin(field: Field, value: bigint): boolean {
  return value >= least(field) && value <= limits[field]
}

function explain(field: Field): string {
  return `a whole number from ${least(field)} to ${limits[field]}`
}

function least(field: Field): bigint {
  return field === 'nonce' ? 0n : 1n
}

function refused(message: string): KmsError {
  return new KmsError('transaction-refused', message)
}
