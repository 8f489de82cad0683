import { expect, test } from 'bun:test'
import type { Network } from '../../src/base/model.ts'
import { celo } from '../../src/chains/celo.ts'
import { key, own, ownOf, pendingOf, thrownBy, to } from '../support/evm.ts'

const cusd = '0x765de816845861e75a25fca122bb6898b8b1282a'
const paid = { to, value: '5', gasLimit: 100_000, nonce: 7 }

test.each([
  [undefined, 100n],
  [cusd, 100n],
  ['0x2f25deb3848c207fc8e0c34035b3ba7fc157602b', 100n],
  // Ether and gold, which Celo takes for fees, too, and a token that nobody has heard of.
  ['0xd221812de1bd094f35587ee8e174b07b6167d9af', 1n],
  ['0x857bf24e29da0773687e804a743c2e421a394c16', 1n],
  [to, 1n],
])('a fee in %p may be %d whole ones', (currency, most) => {
  const price = (most * 10n ** 18n) / 100_000n
  const prepare = (gasPrice: bigint) => {
    const asked = { ...paid, gasPrice: `${gasPrice}`, feeCurrency: currency }
    return celo.prepare(pendingOf(celo, asked), own, {})
  }
  expect(prepare(price).intent.fee?.amount).toBe(most * 10n ** 18n)
  expect(thrownBy(() => prepare(price + 1n)).code).toBe('policy-denied')
})

test('currencies of one network are unknown on another', () => {
  const asked = { ...paid, gasPrice: `${2n * 10n ** 13n}`, feeCurrency: cusd }
  const prepare = (network: Network) =>
    celo.prepare(pendingOf(celo, asked), ownOf(key, network), {})
  expect(() => prepare('mainnet')).not.toThrow()
  expect(thrownBy(() => prepare('testnet')).code).toBe('policy-denied')
})
