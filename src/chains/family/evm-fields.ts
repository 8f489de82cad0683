import { KmsError } from '../../base/errors.ts'
import { asString } from '../../base/json.ts'
import type { ChainReads, Completion } from '../../base/model.ts'
import { maxNonce } from './evm-members.ts'
import type { EvmTx, Hex } from './evm-tx.ts'
import { asQuantity } from './members.ts'
import { refused } from './refusals.ts'

/** What a completion can add to a payment of an EVM chain, by the names in its JSON. */
export type Field = 'gas' | 'nonce' | 'gasPrice'

export type Fields = Pick<EvmTx, 'gas' | 'nonce' | 'price'>

/** Bounds of what a server may answer; beyond them the answer is a lie or a mistake. */
const limits: Readonly<Record<Field, bigint>> = {
  gas: 100_000_000n,
  nonce: maxNonce,
  // Ten million gwei: a plain transfer at this price costs 210 coins.
  gasPrice: 10n ** 16n,
}

/** Reads what `tx` lacks, and nothing else. */
export async function readLacking(
  tx: Fields,
  readers: Readonly<Record<Field, () => Promise<bigint>>>,
): Promise<Completion> {
  const read = async (field: Field) => [field, (await readers[field]()).toString()] as const
  return Object.fromEntries(await Promise.all(lackingFields(tx).map(read)))
}

/** The fields of `asked`, those it lacks taken from `completion`, which may hold nothing else. */
export function fillFields(
  asked: Fields,
  completion: Completion,
): { readonly gas: bigint; readonly nonce: number; readonly price: bigint } {
  const lacking: readonly string[] = lackingFields(asked)
  if (Object.keys(completion).some(name => !lacking.includes(name))) {
    throw refused('completion sets a field that the transaction does not lack')
  }
  const { gas, nonce, price } = asked
  return {
    gas: gas ?? readAdded(completion, 'gas'),
    nonce: nonce ?? Number(readAdded(completion, 'nonce')),
    price: price ?? readAdded(completion, 'gasPrice'),
  }
}

/** What a server answered when it was asked for `what`. */
export function checkAnswer(field: Field, answer: unknown, what: string): bigint {
  const value = asQuantity(answer)
  if (value === undefined || !isWithin(field, value)) {
    throw new KmsError('network', `the answer for ${what} is not ${explain(field)}`)
  }
  return value
}

/** The server does not count what it has not seen yet; our own record does. */
export async function nextNonce(
  from: Hex,
  reads: ChainReads,
  answer: Promise<unknown>,
): Promise<bigint> {
  const [counted, own = 0n] = await Promise.all([answer, reads.nextNonce(from)])
  const count = checkAnswer('nonce', counted, 'the transaction count')
  if (own > count) return own
  return count
}

function lackingFields({ gas, nonce, price }: Fields): readonly Field[] {
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

function isWithin(field: Field, value: bigint): boolean {
  return value >= least(field) && value <= limits[field]
}

function explain(field: Field): string {
  return `a whole number from ${least(field)} to ${limits[field]}`
}

function least(field: Field): bigint {
  return field === 'nonce' ? 0n : 1n
}
