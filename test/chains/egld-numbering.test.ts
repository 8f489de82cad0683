import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { egld } from '../../src/chains/egld.ts'
import { from, good, own, signEgld } from '../support/egld.ts'
import { noReads, readsFrom, thrownBy } from '../support/evm.ts'
import { rejectionOf } from '../support/secret.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

const { numbering } = egld
if (numbering === undefined) throw new Error('it has no numbering')

const refusal = {
  code: 'transaction-refused',
  message: expect.stringContaining('a payment of MultiversX that was signed cannot be cancelled'),
}

test('the sender and the number of signed bytes are those that were asked for', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), nonce => {
      const { txData } = signEgld(good, { nonce: `${nonce}` })
      expect(numbering.numberOf(txData)).toEqual({ sender: from, number: BigInt(nonce) })
    }),
  )
})

test('counts what is in blocks', async () => {
  const path = `/v3/egld/node/{apiKey}/address/${from}/nonce`
  expect(await numbering.count(from, readsFrom({ [path]: { data: { nonce: 42 } } }))).toBe(42n)
  const fault = await rejectionOf(() => numbering.count(from, readsFrom({ [path]: {} })))
  expect(fault).toMatchObject({ code: 'network' })
})

test('nothing takes the place of a signed payment', async () => {
  const { txData } = signEgld(good)
  expect(thrownBy(() => numbering.replace(txData, own, 1n))).toMatchObject(refusal)
  expect(await rejectionOf(() => numbering.price(txData, noReads))).toMatchObject(refusal)
})

test('bytes that are none of ours are refused', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), txData => {
      expect(thrownBy(() => numbering.numberOf(txData)).name).toBe('KmsError')
    }),
  )
})
