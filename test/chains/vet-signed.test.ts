import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { KmsError } from '../../src/base/errors.ts'
import type { Network } from '../../src/base/model.ts'
import { decodeVet } from '../../src/chains/family/vet-rlp.ts'
import { vet } from '../../src/chains/vet.ts'
import { from, type Json, key, ownOf, pendingOf, signAll, thrownBy, to } from '../support/evm.ts'
import { readVet } from '../support/vechain.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

const blockRef = '0x00dd2a5f4a4f9a8b'
const hash = `0x${'ab'.repeat(32)}`

const hexOf = (bytes: number) =>
  fc
    .uint8Array({ minLength: bytes, maxLength: bytes })
    .map(b => `0x${Buffer.from(b).toString('hex')}`)
const payment = fc.record(
  {
    to: hexOf(20),
    value: fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }).map(String),
    data: fc.uint8Array({ maxLength: 100 }).map(b => `0x${Buffer.from(b).toString('hex')}`),
    nonce: fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }).map(value => `0x${value.toString(16)}`),
    gasPriceCoef: fc.nat(255),
    expiration: fc.integer({ min: 1, max: 8_640 }),
    dependsOn: hexOf(32),
    blockRef: hexOf(8),
  },
  { requiredKeys: ['to'] },
)
const gas = fc.bigInt({ min: 40_000n, max: 5_000_000n })
const network = fc.constantFrom<Network>('mainnet', 'testnet')

describe('a signed transaction', () => {
  test('says to viem what was asked for, and is signed by the wallet', () => {
    const check = (json: Json, amount: bigint, on: Network) => {
      const { txData, txId } = sign(json, amount, on)
      const { nonce, ...tx } = readVet(txData)
      expect<unknown>(tx).toEqual({
        chainTag: on === 'mainnet' ? 0x4an : 0x27n,
        blockRef: json['blockRef'] ?? blockRef,
        expiration: BigInt(Number(json['expiration'] ?? 720)),
        to: json['to'],
        value: BigInt(String(json['value'] ?? 0)),
        data: json['data'] ?? '0x',
        gasPriceCoef: BigInt(Number(json['gasPriceCoef'] ?? 0)),
        gas: amount,
        dependsOn: json['dependsOn'] ?? '0x',
        from,
        txId,
      })
      if (json['nonce'] !== undefined) expect(nonce).toBe(BigInt(String(json['nonce'])))
    }
    fc.assert(fc.property(payment, gas, network, check))
  })

  test('with one member changed, is another or refused', () => {
    const honest = {
      to,
      value: '5',
      data: '0x01',
      nonce: '7',
      gasPriceCoef: 3,
      expiration: 32,
      dependsOn: hash,
    }
    const before = meaning(honest)
    for (const member of Object.keys(honest)) {
      expect(meaning({ ...honest, [member]: undefined })).not.toEqual(before)
    }
    const check = (json: Json, member: keyof typeof honest) => {
      const changed = json[member]
      if (changed === undefined || numberOf(changed) === numberOf(honest[member])) return
      expect(meaning({ ...honest, [member]: changed })).not.toEqual(before)
    }
    const name = fc.constantFrom(...(Object.keys(honest) as (keyof typeof honest)[]))
    fc.assert(fc.property(payment, name, check))
  })

  test('read back from bytes that were changed, is another or none', () => {
    const position = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    const check = (json: Json, where: number, bit: number) => {
      const { txData } = sign(json, 5_000_000n)
      const bytes = Buffer.from(txData.slice(2), 'hex')
      // The signature at the end is no part of what is compared.
      const at = Math.floor(where * (bytes.length - 65))
      bytes[at] = (bytes[at] ?? 0) ^ (1 << bit)
      let after: unknown
      try {
        after = decodeVet(`0x${bytes.toString('hex')}`)
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(KmsError)
      }
      expect(after).not.toEqual(decodeVet(txData))
    }
    fc.assert(fc.property(payment, position, fc.nat(7), check))
  })

  test.each([
    ['nothing', ''],
    ['no bytes', '0x'],
    ['an empty list', '0xc0'],
    ['no hex', 'xyz'],
    ['lists in lists', `0x${'c1'.repeat(100_000)}`],
  ])('is not %s', (_name, txData) => {
    expect(thrownBy(() => decodeVet(txData)).code).toBe('unexpected')
  })
})

function sign(json: Json, gas: bigint, network: Network = 'mainnet') {
  const added = { gas: `${gas}`, ...(json['blockRef'] === undefined && { blockRef }) }
  const prepared = vet.prepare(pendingOf(vet, json), ownOf(key, network), added)
  return prepared.seal(signAll(prepared, key))
}

/** Hex of no digits is no number to BigInt. */
function numberOf(value: unknown): bigint {
  return value === '0x' ? 0n : BigInt(String(value))
}

/** What people see and the key signs, or the refusal. */
function meaning(json: Json): unknown {
  try {
    const { intent, requests } = vet.prepare(pendingOf(vet, json), ownOf(key), {
      gas: '60000',
      blockRef,
    })
    return { intent, requests }
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(KmsError)
    return 'refused'
  }
}
