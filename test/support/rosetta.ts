import type { Network } from '../../src/base/model.ts'
import { readBech32 } from './bech32.ts'
import { cborOf, readCbor, type Value } from './cbor.ts'
import { membersOf } from './members.ts'

/** A gateway of Cardano as cardano-rosetta is one: it makes transactions of operations. */

type Operation = {
  readonly type: string
  readonly account: { readonly address: string }
  readonly amount: { readonly value: string }
  readonly coin_change?: { readonly coin_identifier: { readonly identifier: string } }
}

export type Construction = 'preprocess' | 'metadata' | 'payloads' | 'combine'

const slot = 150_001_000n

export function construct(step: Construction, body: unknown, network: Network): unknown {
  const { network_identifier, ...asked } = membersOf(body)
  const { blockchain, network: name } = membersOf(network_identifier)
  const isHere = name === { mainnet: 'mainnet', testnet: 'preprod' }[network]
  if (blockchain !== 'cardano' || !isHere)
    return { code: 4002, message: 'Network not found', retriable: false }
  switch (step) {
    case 'preprocess':
      return { options: { ...membersOf(asked['metadata']), transaction_size: 300 } }
    case 'metadata':
      return {
        metadata: { ttl: slot.toString(), protocol_parameters: {} },
        suggested_fee: [{ value: '170000', currency: { symbol: 'ADA', decimals: 6 } }],
      }
    case 'payloads': {
      const operations = asked['operations'] as readonly Operation[]
      const transaction = bodyOf(operations)
      return {
        unsigned_transaction: envelopeOf(transaction),
        payloads: payloadsOf(transaction, operations),
      }
    }
    case 'combine':
      return { signed_transaction: combined(asked) }
    default:
      return step satisfies never
  }
}

/** The body in hex, as outputs were written before Babbage. */
export function bodyOf(operations: readonly Operation[], ttl = slot): string {
  const inputs = operations.filter(({ type }) => type === 'input')
  const outputs = operations.filter(({ type }) => type === 'output')
  const fee = operations.reduce((sum, { amount }) => sum - BigInt(amount.value), 0n)
  return cborOf(
    new Map<Value, Value>([
      [0n, inputs.map(inputOf)],
      [1n, outputs.map(({ account, amount }) => [bytesOf(account.address), BigInt(amount.value)])],
      [2n, fee],
      [3n, ttl],
    ]),
  )
}

/** What the gateway keeps beside a transaction is its own matter. */
export function envelopeOf(transaction: string): string {
  return cborOf([transaction, new Map<Value, Value>([['operations', []]])])
}

export function idOf(body: string): string {
  return new Bun.CryptoHasher('blake2b256').update(Buffer.from(body, 'hex')).digest('hex')
}

export function payloadsOf(body: string, operations: readonly Operation[]): readonly unknown[] {
  const inputs = operations.filter(({ type }) => type === 'input')
  return [...new Set(inputs.map(({ account }) => account.address))].map(address => ({
    account_identifier: { address },
    signature_type: 'ed25519',
    hex_bytes: idOf(body),
  }))
}

/** A transaction of body and witnesses, in hex; what is in `body` stands in it as it is. */
export function signedOf(body: string, witnesses: Value): string {
  return `84${body}${cborOf(new Map([[0n, witnesses]]))}f5f6`
}

function combined({ unsigned_transaction, signatures }: Record<string, unknown>): string {
  const [envelope] = readCbor(Buffer.from(String(unsigned_transaction), 'hex'))
  const body = Array.isArray(envelope) ? String(envelope[0]) : ''
  const list = Array.isArray(signatures) ? signatures.map(membersOf) : []
  const witnesses = list.map(({ public_key, hex_bytes }) => [
    Buffer.from(String(membersOf(public_key)['hex_bytes']), 'hex'),
    Buffer.from(String(hex_bytes), 'hex'),
  ])
  return envelopeOf(signedOf(body, witnesses))
}

function inputOf({ coin_change }: Operation): Value {
  const [txId = '', index = ''] = (coin_change?.coin_identifier.identifier ?? '').split(':')
  return [Buffer.from(txId, 'hex'), BigInt(index)]
}

function bytesOf(address: string): Buffer {
  return readBech32(address).bytes
}
