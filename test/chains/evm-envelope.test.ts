import { describe, expect, test } from 'bun:test'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { serializeTransaction, toRlp } from 'viem/utils'
import { decodeEnvelope } from '../../src/chains/family/evm-envelope.ts'
import { thrownBy, to } from '../support/evm.ts'

type Item = `0x${string}` | readonly Item[]

describe('signed bytes that no honest signer makes', () => {
  const gas = { gas: 21_000n, gasPrice: 9n } as const
  const legacy = { type: 'legacy', chainId: 1, nonce: 7, ...gas, value: 5n, to } as const
  const order = secp256k1.Point.Fn.ORDER
  const word = (value: bigint): `0x${string}` => `0x${value.toString(16).padStart(64, '0')}`
  const good = { r: word(9n), s: word(9n), v: 27n, yParity: 0 } as const
  test.each([
    ['without prefix', serializeTransaction(legacy, good).slice(2)],
    ['no bytes', '0x'],
    ['an unknown type', `0x03${serializeTransaction(legacy, good).slice(2)}`],
    ['no signature', serializeTransaction(legacy)],
    ['a signature without chain id', serializeTransaction({ ...legacy, chainId: undefined }, good)],
    ['r of 0', serializeTransaction(legacy, { ...good, r: word(0n) })],
    ['r beyond the group', serializeTransaction(legacy, { ...good, r: word(order) })],
    ['s of 0', serializeTransaction(legacy, { ...good, s: word(0n) })],
    ['a high s', serializeTransaction(legacy, { ...good, s: word(order / 2n + 1n) })],
  ])('%s', (_what, txData) => {
    expect(thrownBy(() => decodeEnvelope(txData)).code).toBe('unexpected')
  })

  const fields = [
    '0x01',
    '0x07',
    '0x01',
    '0x09',
    '0x5208',
    to,
    '0x05',
    '0x',
    [],
    '0x01',
    '0x09',
    '0x09',
  ]
  const eip1559 = (changes: Readonly<Record<number, Item>>) =>
    `0x02${toRlp(fields.map((field, i) => changes[i] ?? field) as Item[]).slice(2)}`
  test.each([
    ['a parity of 2', eip1559({ 9: '0x02' })],
    ['a number with a leading zero', eip1559({ 1: '0x0007' })],
    ['a number of 33 bytes', eip1559({ 6: `0x${'11'.repeat(33)}` })],
    ['a nonce beyond what we count', eip1559({ 1: '0x20000000000000' })],
    ['a recipient of 19 bytes', eip1559({ 5: `0x${'11'.repeat(19)}` })],
    ['a list in place of data', eip1559({ 7: [] })],
    ['data in place of a list', eip1559({ 8: '0x' })],
    ['an entry that is no list', eip1559({ 8: ['0x'] })],
    ['an entry of three', eip1559({ 8: [[to, [], []]] })],
    ['an entry with half an address', eip1559({ 8: [['0x11', []]] })],
    ['half a storage key', eip1559({ 8: [[to, ['0x11']]] })],
    ['an item too many', `0x02${toRlp([...fields, '0x'] as Item[]).slice(2)}`],
  ])('%s', (_what, txData) => {
    expect(thrownBy(() => decodeEnvelope(txData)).code).toBe('unexpected')
  })

  test('the same, made by an honest one, are read', () => {
    expect(decodeEnvelope(serializeTransaction(legacy, good)).chainId).toBe(1)
    expect(decodeEnvelope(eip1559({}))).toMatchObject({ type: 'eip1559', price: 9n, tip: 1n })
  })

  test('bytes for another network are another transaction', () => {
    const here = decodeEnvelope(serializeTransaction(legacy, good))
    const there = decodeEnvelope(serializeTransaction({ ...legacy, chainId: 11_155_111 }, good))
    expect(there).toEqual({ ...here, chainId: 11_155_111 })
  })
})
