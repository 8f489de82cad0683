import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import { blake2b } from '@noble/hashes/blake2.js'
import type { Network } from '../../../src/base/model.ts'
import { bech32Of } from '../bech32.ts'
import { readCbor, type Value } from '../cbor.ts'
import { type Construction, construct, idOf } from '../rosetta.ts'
import type { FakeChain, FakePending, FakeRead, Settled } from './fake-chain.ts'

/** Cardano behind a gateway of Rosetta's, checked by a reader of its own and OpenSSL's ed25519. */
export const cardano: FakeChain = {
  broadcastPath: '/v3/ada/broadcast',
  offchain: true,
  errorCode: 'cardano.error',
  reads: (['mainnet', 'preprod'] as const).flatMap(name =>
    (['preprocess', 'metadata', 'payloads', 'combine'] as const).map(step => read(name, step)),
  ),
  verify: async (txData, pending, network) => settleAda(txData, pending, network),
}

function read(name: 'mainnet' | 'preprod', step: Construction): FakeRead {
  return {
    route: 'read',
    method: 'POST',
    path: `/v3/blockchain/node/cardano-${name}/:apiKey/construction/${step}`,
    answer: (_, { body }) => construct(step, body, name === 'mainnet' ? 'mainnet' : 'testnet'),
  }
}

/** Throws an Error unless these bytes do what was asked, signed by the owner of each input. */
export function settleAda(
  txData: string,
  { serializedTransaction }: Pick<FakePending, 'serializedTransaction'>,
  network: Network,
): Settled {
  const { bytes, fields, witnesses } = readTransaction(txData)
  const operations: readonly Asked[] = JSON.parse(String(serializedTransaction))
  const [asked, paid] = [inputsOf(operations), outputsOf(operations)]
  const spent = list(fields.get(0n)).map(spentBy)
  assert.deepEqual(spent.toSorted(), asked.map(([outpoint]) => outpoint).toSorted(), 'other inputs')
  assert.deepEqual(
    list(fields.get(1n)).map(output => describe(output, network)),
    paid,
    'other outputs',
  )
  const lovelace = operations.reduce((sum, { amount }) => sum + BigInt(amount.value), 0n)
  assert(fields.get(2n) === -lovelace, 'another fee')
  assert(typeof fields.get(3n) === 'bigint', 'valid for ever')
  assert(fields.size === 4, 'more than a payment')
  const id = idOf(bytes.toString('hex'))
  const from = witnesses.map(witness => signerOf(witness, id, network))
  assert.deepEqual(new Set(from), new Set(asked.map(([, owner]) => owner)), 'other signers')
  assert(new Set(from).size === from.length, 'signed twice')
  return {
    txId: id,
    from,
    paid: paid.map(({ to, amount }) => ({ to, amount, asset: 'ADA' })),
    claims: spent.map(outpoint => `output/${outpoint}`),
  }
}

type Asked = {
  readonly type: string
  readonly account: { readonly address: string }
  readonly amount: { readonly value: string }
  readonly coin_change?: { readonly coin_identifier: { readonly identifier: string } }
}

function inputsOf(operations: readonly Asked[]) {
  return operations
    .filter(({ type }) => type === 'input')
    .map(({ coin_change, account }) => [coin_change?.coin_identifier.identifier, account.address])
}

function outputsOf(operations: readonly Asked[]) {
  return operations
    .filter(({ type }) => type === 'output')
    .map(({ account, amount }) => ({ to: account.address, amount: BigInt(amount.value) }))
}

/** Of `[[body, witnesses, true, null] in hex, …]`: the body, as bytes and as a map. */
function readTransaction(txData: string) {
  const [envelope, end] = readCbor(Buffer.from(txData, 'hex'))
  assert(2 * end === txData.length, 'bytes behind the envelope')
  const tx = Buffer.from(String(list(envelope)[0]), 'hex')
  const [whole, last] = readCbor(tx)
  const [fields, sets, ...marks] = list(whole)
  assert(last === tx.length && fields instanceof Map && sets instanceof Map, 'no transaction')
  assert.deepEqual(marks, [true, null], 'not plainly valid')
  assert(sets.size === 1, 'other witnesses than signatures')
  const [, bodyEnd] = readCbor(tx, 1)
  return { bytes: tx.subarray(1, bodyEnd), fields, witnesses: list(sets.get(0n)).map(list) }
}

function spentBy(input: Value): string {
  const [txId, index] = list(input)
  assert(Buffer.isBuffer(txId) && txId.length === 32, 'no transaction id')
  return `${txId.toString('hex')}:${index}`
}

function describe(output: Value, network: Network) {
  const [address, amount] = list(output)
  assert(Buffer.isBuffer(address) && typeof amount === 'bigint', 'no plain output')
  assert((address.readUInt8() & 15) === Number(network === 'mainnet'), 'of another network')
  return { to: bech32Of(prefixes[network], address), amount }
}

const prefixes = { mainnet: 'addr', testnet: 'addr_test' }
/** RFC 8410: what stands before the 32 bytes of a key. */
const spki = Buffer.from('302a300506032b6570032100', 'hex')

/** The enterprise address of the key that signed `id`. */
function signerOf([publicKey, signature]: readonly Value[], id: string, network: Network): string {
  assert(Buffer.isBuffer(publicKey) && Buffer.isBuffer(signature), 'no witness')
  const key = createPublicKey({
    key: Buffer.concat([spki, publicKey]),
    format: 'der',
    type: 'spki',
  })
  assert(verify(null, Buffer.from(id, 'hex'), key, signature), 'a signature that does not verify')
  const header = network === 'mainnet' ? 0x61 : 0x60
  const hash = blake2b(publicKey, { dkLen: 28 })
  return bech32Of(prefixes[network], Uint8Array.of(header, ...hash))
}

function list(value: Value | undefined): readonly Value[] {
  assert(Array.isArray(value), 'not a list')
  return value
}
