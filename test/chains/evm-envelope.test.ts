import { describe, expect, test } from 'bun:test'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { serializeTransaction } from 'viem/utils'
import { decodeEnvelope } from '../../src/chains/family/evm-envelope.ts'
import { thrownBy, to } from '../support/evm.ts'

describe('signed bytes that no honest signer makes', () => {
  const unsigned = { chainId: 1, nonce: 7, gas: 21_000n, value: 5n, to } as const
  const legacy = { ...unsigned, type: 'legacy', gasPrice: 9n } as const
  const order = secp256k1.Point.Fn.ORDER
  const word = (value: bigint): `0x${string}` => `0x${value.toString(16).padStart(64, '0')}`
  const good = { r: word(9n), s: word(9n), v: 27n, yParity: 0 } as const
  const typed = (yParity: number) => ({ ...good, v: BigInt(27 + yParity), yParity })
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

  test('the same, made by an honest one, are read', () => {
    expect(decodeEnvelope(serializeTransaction(legacy, good)).chainId).toBe(1)
    const fees = { maxFeePerGas: 9n, maxPriorityFeePerGas: 1n }
    const eip1559 = serializeTransaction({ ...unsigned, ...fees, type: 'eip1559' }, typed(1))
    expect(decodeEnvelope(eip1559)).toMatchObject({ type: 'eip1559', price: 9n, tip: 1n })
  })

  test('bytes for another network are another transaction', () => {
    const here = decodeEnvelope(serializeTransaction(legacy, good))
    const there = decodeEnvelope(serializeTransaction({ ...legacy, chainId: 11_155_111 }, good))
    expect(there).toEqual({ ...here, chainId: 11_155_111 })
  })
})
