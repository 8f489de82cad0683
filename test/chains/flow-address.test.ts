import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { Network } from '../../src/base/model.ts'
import { contracts } from '../../src/chains/family/flow-scripts.ts'
import { flow } from '../../src/chains/flow.ts'
import { pendingOf, thrownBy } from '../support/evm.ts'
import { account, completion, ownOf, paymentOn, payments, to } from '../support/flow.ts'
import { accounts, flowAddress } from '../support/flow-address.ts'
import { recordedCases } from '../support/recorded-cases.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

const networks = ['mainnet', 'testnet'] as const
const other = { mainnet: 'testnet', testnet: 'mainnet' } as const
const accountNumber = fc.integer({ min: 1, max: accounts - 1 })

/** A payment that holds the address in each place where addresses can be. */
const places: Readonly<Record<string, (address: string, network: Network) => unknown>> = {
  account: (address, network) => withBody(payments.transfer, network, { account: address }),
  to: (address, network) => withBody(payments.transfer, network, { to: address }),
  'argument 1': (address, network) =>
    withBody(payments.custom, network, { args: [{ type: 'Address', value: address }] }),
  'argument 1 ': (address, network) =>
    withBody(payments.custom, network, {
      args: [{ type: 'Array', subType: 'Address', value: [address] }],
    }),
}

function withBody(payment: { type: number; body: object }, network: Network, changes: object) {
  const { type, body } = paymentOn(network, payment)
  return { type, body: { ...body, ...changes } }
}

function review(payment: unknown, network: Network) {
  return flow.review(pendingOf(flow, payment), ownOf('cadence1', network))
}

describe.each(Object.entries(places))('the address of %s', (place, payment) => {
  const name = place.trim()

  test.each(networks)('is one of any account of %s', network => {
    fc.assert(
      fc.property(accountNumber, number => {
        expect(review(payment(flowAddress(number, network), network), network)).toBeDefined()
      }),
    )
  })

  test.each(networks)('is not one of another network than %s', network => {
    fc.assert(
      fc.property(accountNumber, number => {
        const address = flowAddress(number, other[network])
        expect(thrownBy(() => review(payment(address, network), network))).toMatchObject({
          code: 'transaction-refused',
          message: `${name} is an address of Flow's ${other[network]}, and this is ${network}`,
        })
      }),
    )
  })

  test.each(networks)('of %s has no six bits that are wrong', network => {
    const flips = fc.uniqueArray(fc.nat(63), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(accountNumber, flips, (number, bits) => {
        const wrong = bits.reduce(
          (word, bit) => word ^ (1n << BigInt(bit)),
          BigInt(flowAddress(number, network)),
        )
        const address = `0x${wrong.toString(16).padStart(16, '0')}`
        const refused = thrownBy(() => review(payment(address, network), network))
        expect(refused.message).toStartWith(`${name} is `)
      }),
    )
  })
})

describe('well-known addresses', () => {
  // Flow, "Core contracts": service accounts, fees, staking, NFT; and those in our scripts.
  test.each([
    ['mainnet', '0xe467b9dd11fa00df'],
    ['mainnet', '0xf919ee77447b7497'],
    ['mainnet', '0x8624b52f9ddcd04a'],
    ['mainnet', '0x1d7e57aa55817448'],
    ['testnet', '0x8c5303eaa26202d6'],
    ['testnet', '0x912d5440f7e3769e'],
    ['testnet', '0x9eca2b38b18b5dfe'],
    ['testnet', '0x631e88ae7f1d7c20'],
    ...networks.flatMap(network =>
      Object.values(contracts[network]).map(address => [network, address] as const),
    ),
  ] as const)('of %s: %s', (network, address) => {
    expect(review(withBody(payments.transfer, network, { to: address }), network)).toMatchObject({
      outputs: [{ to: address }],
    })
  })

  test('of the recorded accounts are those of testnet', () => {
    const recorded = recordedCases('FLOW').map(({ pending }) => pending.serializedTransaction)
    expect(recorded.length).toBeGreaterThan(0)
    for (const text of recorded) {
      expect(flow.review(pendingOf(flow, text), ownOf('original'))).toBeDefined()
    }
  })

  test.each([
    ['mainnet', 0],
    ['testnet', 0],
  ] as const)('do not include that of %s for account %d, which nobody has', (network, number) => {
    const address = flowAddress(number, network)
    const refused = thrownBy(() =>
      review(withBody(payments.transfer, network, { to: address }), network),
    )
    expect(refused.message).toBe(
      'to is not an address that Flow gives to accounts: a digit may be wrong',
    )
  })

  test('do not include those of emulators', () => {
    for (const network of networks) {
      const payment = withBody(payments.transfer, network, { to: '0xf8d6e0586b0a20c7' })
      expect(thrownBy(() => review(payment, network))).toMatchObject({
        code: 'transaction-malformed',
      })
    }
  })
})

test('what others lend is theirs to get right: recorded payers are made up', () => {
  const lent = { ...completion, payer: '0x8ac1e3fa5a6b9f0e' }
  const prepared = flow.prepare(pendingOf(flow, payments.transfer), ownOf(), lent)
  expect(prepared.intent).toMatchObject({ from: [account], outputs: [{ to }] })
})
