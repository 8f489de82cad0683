import { asArray, asInteger, asRecord, asString, type Json } from '../../base/json.ts'
import type { Network } from '../../base/model.ts'
import { parseStrictJson } from '../../base/strict-json.ts'
import type { Own } from '../chain.ts'
import { ownAddresses, readAddress } from './ada-address.ts'
import { type AdaInput, type AdaOutput, type AdaTx, feeOf, outpointOf } from './ada-tx.ts'
import { malformed, refused } from './refusals.ts'

type Members = ReadonlyMap<string, unknown>

/** A transaction has at most 16,384 bytes: fewer inputs and outputs than this. */
const maxOperations = 1_000
/** 45 billion ADA, all there can ever be, in lovelace. */
const maxLovelace = 45_000_000_000_000_000n
/** Conway's CDDL, transaction_input: an index has two bytes. */
const maxIndex = 65_535

/** Reads Rosetta's operations (protocol 9). Every input must belong to one of our keys. */
export function decodeOperations(serialized: string, own: Own): AdaTx {
  const list = asArray(parseStrictJson(serialized))
  if (list === undefined) throw malformed('transaction is not a JSON array of operations')
  if (list.length > maxOperations) {
    throw refused(`transaction has more than ${maxOperations} operations`)
  }
  const inputs: AdaInput[] = []
  const outputs: AdaOutput[] = []
  for (const [at, value] of list.entries()) {
    const operation = readOperation(value, at, own.network)
    if ('txId' in operation) inputs.push(operation)
    else outputs.push(operation)
  }
  // It came out of a JSON text.
  const tx: AdaTx = { operations: list as readonly Json[], inputs, outputs }
  refuseImpossible(tx)
  refuseForeign(tx, own)
  return tx
}

function readOperation(value: unknown, at: number, network: Network): AdaInput | AdaOutput {
  const where = `operation ${at}`
  const type = asRecord(value)?.get('type')
  if (type !== 'input' && type !== 'output') throw unknownType(type, where)
  const common = 'operation_identifier related_operations type status account amount metadata'
  const names = type === 'input' ? `${common} coin_change` : common
  const members = membersOf(value, where, names)
  checkFrame(members, at, where)
  const address = readAccount(members.get('account'), network, where)
  const amount = readAmount(members.get('amount'), where)
  if (type === 'input') {
    const lovelace = requireAmount(-amount, `${where} is an input: its value must be negative`)
    return { ...readCoin(members.get('coin_change'), where), address, lovelace }
  }
  const lovelace = requireAmount(amount, `${where} is an output: its value must be positive`)
  return { address, lovelace }
}

function unknownType(type: unknown, where: string): Error {
  if (typeof type !== 'string') return malformed(`${where} has no type`)
  const name = /^\w{1,40}$/.test(type) ? ` ${type}` : ''
  return refused(`${where} is of type${name}, which is not signed here`)
}

/** What every operation has and nothing of it is signed. */
function checkFrame(members: Members, at: number, where: string): void {
  const identifier = membersOf(
    members.get('operation_identifier'),
    `${where}, operation_identifier`,
    'index network_index',
  )
  // Rosetta, OperationIdentifier: indexes count from 0.
  if (identifier.get('index') !== at) throw malformed(`${where} does not have the index ${at}`)
  const networkIndex = asInteger(orElse(identifier, 'network_index', 0))
  if (networkIndex === undefined || networkIndex < 0) {
    throw malformed(`${where} has no good network_index`)
  }
  const related = asArray(orElse(members, 'related_operations', []))
  if (related?.length !== 0) throw malformed(`${where} has related operations`)
  const status = orElse(members, 'status', '')
  if (status !== '' && status !== 'success') throw malformed(`${where} has an unknown status`)
  refuseMetadata(members, where)
}

function readAccount(value: unknown, network: Network, where: string): string {
  const account = membersOf(value, `${where}, account`, 'address metadata')
  refuseMetadata(account, where)
  const text = asString(account.get('address'))
  if (text === undefined) throw malformed(`${where} has no address of Cardano`)
  return readAddress(text, network, where)
}

/** In lovelace, as it is signed in the text. */
function readAmount(value: unknown, where: string): bigint {
  const amount = membersOf(value, `${where}, amount`, 'value currency metadata')
  refuseMetadata(amount, where)
  const currency = membersOf(
    amount.get('currency'),
    `${where}, currency`,
    'symbol decimals metadata',
  )
  refuseMetadata(currency, where)
  if (currency.get('symbol') !== 'ADA') throw refused(`${where} is not of ADA, the one coin here`)
  if (currency.get('decimals') !== 6) throw malformed(`${where} does not count in lovelace`)
  const text = asString(amount.get('value')) ?? ''
  if (!/^-?[1-9]\d{0,16}$/.test(text)) {
    throw malformed(`${where} has no value in whole lovelace, written as text`)
  }
  return BigInt(text)
}

function requireAmount(amount: bigint, otherwise: string): bigint {
  if (amount < 0n) throw malformed(otherwise)
  if (amount > maxLovelace) throw refused('an operation has more lovelace than there is')
  return amount
}

/** Which output is spent. The original calls it `coin_created`, which Rosetta would say of outputs. */
function readCoin(value: unknown, where: string): Pick<AdaInput, 'txId' | 'index'> {
  const names = 'coin_identifier coin_action'
  const change = membersOf(value, `${where}, coin_change`, names)
  const action = change.get('coin_action')
  if (action !== 'coin_created' && action !== 'coin_spent') {
    throw malformed(`${where} has an unknown coin_action`)
  }
  const coin = membersOf(change.get('coin_identifier'), `${where}, coin_identifier`, 'identifier')
  const text = asString(coin.get('identifier')) ?? ''
  const [, txId = '', digits] = /^([0-9a-f]{64}):(0|[1-9]\d{0,4})$/i.exec(text) ?? []
  const index = Number(digits)
  if (!(index <= maxIndex)) throw malformed(`${where} does not say which output it spends`)
  return { txId: txId.toLowerCase(), index }
}

/** Empty in every payment of ADA; what it can hold changes what is signed. */
function refuseMetadata(members: Members, where: string): void {
  const metadata = asRecord(orElse(members, 'metadata', {}))
  if (metadata?.size === 0) return
  if (metadata?.has('tokenBundle')) {
    throw refused(`${where} moves native tokens, which are not sent here`)
  }
  throw malformed(`${where} has metadata that is not empty`)
}

function membersOf(value: unknown, where: string, names: string): Members {
  const members = asRecord(value)
  if (members === undefined) throw malformed(`${where} is not an object`)
  const known = names.split(' ')
  for (const name of members.keys()) {
    if (known.includes(name)) continue
    const quoted = /^\w{1,32}$/.test(name) ? ` '${name}'` : ''
    throw malformed(`${where} has an unknown member${quoted}`)
  }
  return members
}

function orElse(members: Members, name: string, absent: unknown): unknown {
  return members.has(name) ? members.get(name) : absent
}

function refuseImpossible(tx: AdaTx): void {
  if (tx.inputs.length === 0 || tx.outputs.length === 0) {
    throw malformed('transaction needs an input and an output')
  }
  if (new Set(tx.inputs.map(outpointOf)).size < tx.inputs.length) {
    throw refused('transaction spends an output a second time')
  }
  if (feeOf(tx) < 0n) throw refused('the outputs hold more than the inputs')
}

function refuseForeign({ inputs }: AdaTx, own: Own): void {
  const ours = ownAddresses(own)
  const foreign = inputs.findIndex(({ address }) => !ours.has(address))
  if (foreign === -1) return
  throw refused(`input ${foreign} belongs to none of the keys of this payment`)
}
