import fc from 'fast-check'
import type { Signed } from '../../src/base/model.ts'
import { bnb } from '../../src/chains/bnb.ts'
import type { Prepared } from '../../src/chains/chain.ts'
import { bech32Of, readBech32 } from './bech32.ts'
import { ownOf, pendingOf, signAll } from './evm.ts'

/** Of the recorded wallet. */
const key = Uint8Array.from(
  Buffer.from('3955f430d8372b601f3a70c10a707f94c509fb3c51c1e94ddbb7ab9906cb659d', 'hex'),
)
export const own = ownOf(key)
export const owner = 'bnb1rxhz5vdv4fvdjye8gxqvfv0yvg20jtlwf4f38d'
export const somebody = 'bnb13ajdzjhcczjg7mh60mc0d4dsqhj2q0xs22czn8'
export const completion = { account_number: '12', sequence: '5' }

type Coin = { readonly denom: string; readonly amount: unknown }
export type Side = { readonly address: string; readonly coins: readonly Coin[] }
export type Transfer = {
  readonly inputs: readonly Side[]
  readonly outputs: readonly Side[]
  readonly memo: string
}

/** As the original's SDK writes it: the transfer twice, its addresses as bytes and as text. */
export function jsonOf({ inputs, outputs, memo }: Transfer) {
  const inBytes = ({ address, coins }: Side) => ({
    address: { type: 'Buffer', data: [...readBech32(address).bytes] },
    coins: coins.map(({ denom, amount }) => ({ denom, amount })),
  })
  const inText = ({ address, coins }: Side) => ({
    address,
    coins: coins.map(({ denom, amount }) => ({ amount, denom })),
  })
  return {
    msg: { inputs: inputs.map(inBytes), outputs: outputs.map(inBytes), aminoPrefix: '2A2C87FA' },
    signMsg: { inputs: inputs.map(inText), outputs: outputs.map(inText) },
    memo,
  }
}

export const coins = [{ denom: 'BNB', amount: 150_000_000 }]
export const payment: Transfer = {
  inputs: [{ address: owner, coins }],
  outputs: [{ address: somebody, coins }],
  memo: '12345',
}

export function prepare(
  json: unknown,
  added: Readonly<Record<string, string>> = completion,
): Prepared {
  return bnb.prepare(pendingOf(bnb, json), own, added)
}

/** As the program does it, the key work by the library that does it there. */
export function sign(json: unknown, added = completion): Signed {
  const prepared = prepare(json, added)
  return prepared.seal(signAll(prepared, key))
}

const denom = fc.constantFrom('BNB', 'BUSD-BD1', 'BTCB-1DE', 'TWT-8C2', 'MINI-ABCM', 'A.B-123')
const address = fc.uint8Array({ minLength: 20, maxLength: 20 }).map(bytes => bech32Of('bnb', bytes))
const amount = fc.integer({ min: 1, max: 2 ** 48 })
const output = fc.record({
  address,
  coins: fc.uniqueArray(fc.record({ denom, amount }), {
    minLength: 1,
    maxLength: 3,
    selector: coin => coin.denom,
  }),
})

/** Any transfer of the wallet, to several as well. */
export const transfers: fc.Arbitrary<Transfer> = fc
  .record({
    outputs: fc.array(output, { minLength: 1, maxLength: 4 }),
    memo: fc.string({ maxLength: 20, unit: 'grapheme' }),
  })
  .map(({ outputs, memo }) => {
    const sums = new Map<string, number>()
    for (const coin of outputs.flatMap(side => side.coins)) {
      sums.set(coin.denom, (sums.get(coin.denom) ?? 0) + coin.amount)
    }
    const paid = [...sums].map(([name, sum]) => ({ denom: name, amount: sum }))
    return { inputs: [{ address: owner, coins: paid }], outputs, memo }
  })

const number = fc.nat(Number.MAX_SAFE_INTEGER).map(String)
export const completions = fc.record({ account_number: number, sequence: number })
