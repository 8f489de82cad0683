import { describe, expect, test } from 'bun:test'
import type { Completion, PendingTx } from '../../src/base/model.ts'
import { bnb } from '../../src/chains/bnb.ts'
import { celo } from '../../src/chains/celo.ts'
import { type Chain, type ChainDefinition, defineChain, type Own } from '../../src/chains/chain.ts'
import { eth } from '../../src/chains/eth.ts'
import { chains } from '../../src/chains/index.ts'
import { klay } from '../../src/chains/klay.ts'
import { defaultSettings } from '../../src/chains/settings.ts'
import { sol } from '../../src/chains/sol.ts'
import { tron } from '../../src/chains/tron.ts'
import { vet } from '../../src/chains/vet.ts'
import { xlm } from '../../src/chains/xlm.ts'
import { xrp } from '../../src/chains/xrp.ts'
import * as beacon from '../support/bnb.ts'
import { key, own, pendingOf, plain, signAll, thrownBy, to } from '../support/evm.ts'
import * as solana from '../support/sol-payments.ts'
import * as trons from '../support/tron.ts'
import * as stellar from '../support/xlm.ts'
import * as ripple from '../support/xrp.ts'

const coin = 10n ** 18n
const cusd = '0x765de816845861e75a25fca122bb6898b8b1282a'
const ether = '0xd221812de1bd094f35587ee8e174b07b6167d9af'

/** Payments whose fee is above the chain's own cap. */
const dear: readonly (readonly [
  name: string,
  chain: Chain,
  pending: PendingTx,
  own: Own,
  completion: Completion,
  fee: bigint,
])[] = [
  [
    'XRP',
    xrp,
    pendingOf(xrp, { ...ripple.payment, Fee: '2000001' }),
    ripple.ownOf(ripple.wallet),
    {},
    2_000_001n,
  ],
  [
    'XLM',
    xlm,
    pendingOf(xlm, stellar.build({ fee: 10_000_001 }).toXDR()),
    stellar.ownOf(),
    {},
    10_000_001n,
  ],
  ['ETH', eth, evmPayment(eth, 2n * coin), own, {}, 2n * coin],
  ['KLAY', klay, evmPayment(klay, 200n * coin), own, {}, 200n * coin],
  ['CELO', celo, evmPayment(celo, 200n * coin), own, {}, 200n * coin],
  [
    'SOL',
    sol,
    solana.paymentOf(
      solana.compile(solana.alice.address, [
        solana.transfer(solana.alice.address, solana.shop, 5n),
        solana.unitLimit(1_000_000),
        solana.unitPrice(10_000_001n),
      ]),
    ),
    solana.ownOf(solana.alice),
    solana.completion,
    10_000_001n + 5_000n,
  ],
  [
    'TRON',
    tron,
    pendingOf(tron, trons.unsigned(trons.transfer, { fee_limit: 2_000_000_000 })),
    trons.own,
    {},
    2_000_000_000n + 1_100_000n + 1_000n * 276n,
  ],
]

describe.each(dear)(
  'a fee above the cap of %s',
  (id, chain, pending, { ...own }, completion, fee) => {
    const prepare = (cap?: bigint, of = id) => {
      const feeCaps = cap === undefined ? {} : { [of]: `${cap}` }
      return chain.prepare(pending, { ...own, settings: { ...own.settings, feeCaps } }, completion)
    }

    test('is denied without a policy, and by one that raises the cap of another chain', () => {
      expect(thrownBy(() => prepare()).code).toBe('policy-denied')
      expect(thrownBy(() => prepare(10n ** 30n, id === 'XRP' ? 'XLM' : 'XRP')).code).toBe(
        'policy-denied',
      )
    })

    test('passes where a policy allows just as much, and not a unit less', () => {
      expect(prepare(fee).intent.fee?.amount).toBe(fee)
      expect(thrownBy(() => prepare(fee - 1n))).toMatchObject({
        code: 'policy-denied',
        message: expect.stringContaining(`is above the limit of ${fee - 1n}`),
      })
    })
  },
)

test.each(chains.map(({ id }) => id))('a policy that lowers the cap of %s is heard', id => {
  const prepare = (cap: string) => {
    const settings = { ...defaultSettings, feeCaps: { [id]: cap } }
    return stub(id).prepare(pendingFor(id), { ...own, settings }, {})
  }
  expect(prepare('7').intent.fee?.amount).toBe(7n)
  for (const cap of ['6', '0']) expect(thrownBy(() => prepare(cap)).code).toBe('policy-denied')
})

test('a fee that the network sets is denied where the policy has no room for it', () => {
  const prepare = (cap: bigint) =>
    bnb.prepare(
      pendingOf(bnb, beacon.jsonOf(beacon.payment)),
      capped(beacon.own, 'BNB', cap),
      beacon.completion,
    )
  expect(prepare(37_500n).intent.fee?.amount).toBe(37_500n)
  expect(thrownBy(() => prepare(37_499n)).code).toBe('policy-denied')
})

describe('a cap of CELO', () => {
  test.each([
    ['CELO itself', undefined, 1n],
    ['a token that is worth a dollar', cusd, 1n],
    ['a token that may be worth far more', ether, 100n],
    ['a token nobody has heard of', to, 100n],
  ])('counts what is paid in %s', (_, feeCurrency, worth) => {
    const prepare = (fee: bigint, cap: bigint) => {
      const asked = {
        to,
        value: 5,
        gasLimit: '200000',
        nonce: 7,
        gasPrice: `${fee / 200_000n}`,
        feeCurrency,
      }
      return celo.prepare(pendingOf(celo, asked), capped(own, 'CELO', cap), {})
    }
    const fee = 3n * coin
    expect(prepare(fee, fee * worth).intent.fee?.amount).toBe(fee)
    expect(thrownBy(() => prepare(fee, fee * worth - 1n)).code).toBe('policy-denied')
  })
})

describe('what takes the place of a payment', () => {
  const gas = 21_000n
  const replacing = (chain: Chain, cap: bigint | undefined, now: bigint, more: object = {}) => {
    const asked = { ...plain, gasPrice: '80', ...more }
    const paid = chain.prepare(pendingOf(chain, asked), own, {})
    const { txData } = paid.seal(signAll(paid, key))
    const by = cap === undefined ? own : capped(own, chain.id, cap)
    return chain.numbering?.replace(txData, by, now).intent.fee?.amount
  }

  test.each([eth, klay, celo])('is offered up to the cap of the policy ($id)', chain => {
    const most = 50_000n * coin
    const now = most / gas
    expect(replacing(chain, gas * 100n, now)).toBe(gas * 100n)
    expect(replacing(chain, most, now)).toBe(gas * now)
    expect(replacing(chain, undefined, now)).toBeLessThan(gas * now)
  })

  test.each([eth, klay, celo])('is denied where the cap leaves no room for it ($id)', chain => {
    expect(replacing(chain, gas * 90n, 1n)).toBe(gas * 90n)
    expect(thrownBy(() => replacing(chain, gas * 90n - 1n, 1n)).code).toBe('policy-denied')
  })

  test('has a hundredth of the cap of CELO where it is paid with a dear token', () => {
    const more = { feeCurrency: ether, gasLimit: '200000' }
    const least = 121_000n * 90n
    expect(replacing(celo, 100n * least, 1n, more)).toBe(least)
    expect(thrownBy(() => replacing(celo, 100n * least - 1n, 1n, more)).code).toBe('policy-denied')
  })
})

describe('the ceiling of a fee', () => {
  test('is the fee where the payment says it', () => {
    const pending = pendingOf(xrp, ripple.payment)
    const by = capped(ripple.ownOf(ripple.wallet), 'XRP', 5n)
    expect(xrp.feeCeiling(pending, by)).toEqual({ amount: 12n, asset: 'XRP' })
  })

  test.each([
    [eth, 'ETH', {}, coin, 500n],
    [klay, 'KLAY', {}, 100n * coin, 500n],
    [celo, 'CELO', {}, 100n * coin, 500n],
    [celo, `CELO:${ether}`, { feeCurrency: ether }, coin, 5n],
    [vet, 'VTHO', {}, 10_000n * coin, 500n],
  ])('is the cap until then (%#)', (chain, asset, more, builtIn, lowered) => {
    const pending = pendingOf(chain, { to, value: '5', ...more })
    expect(chain.feeCeiling(pending, own)).toEqual({ amount: builtIn, asset })
    const by = capped(own, chain.id, 500n)
    expect(chain.feeCeiling(pending, by)).toEqual({ amount: lowered, asset })
  })
})

function capped(own: Own, id: string, cap: bigint): Own {
  return { ...own, settings: { ...own.settings, feeCaps: { [id]: `${cap}` } } }
}

function evmPayment(chain: Chain, fee: bigint): PendingTx {
  return pendingOf(chain, { ...plain, gasLimit: '100000', gasPrice: `${fee / 100_000n}` })
}

/** A chain of that name whose payments cost 7. */
function stub(id: string): Chain {
  const definition: ChainDefinition<object> = {
    id,
    name: id,
    key: { curve: 'secp256k1', text: { kind: 'hex', prefix: '' } },
    generates: 'key',
    walletShape: [],
    address: () => '',
    keys: () => [],
    decode: () => ({}),
    intent: () => ({ kind: '', from: [], outputs: [], fee: { amount: 7n, asset: id } }),
    fill: () => ({}),
    claims: () => ['tx/1'],
    messages: () => [],
    assemble: () => ({ txData: '', txId: '' }),
    decodeSigned: () => ({}),
    feeCap: () => 100n,
    order: 'free',
    broadcast: { path: '', offchain: false },
  }
  return defineChain(definition)
}

function pendingFor(chain: string): PendingTx {
  return { id: '1'.repeat(24), chain, serializedTransaction: '', hashes: [], signatures: [] }
}
