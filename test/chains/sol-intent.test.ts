import { describe, expect, test } from 'bun:test'
import { sol } from '../../src/chains/sol.ts'
import { refusal } from '../support/refusal.ts'
import {
  alice,
  bob,
  compile,
  initMint,
  makeAccount,
  makeMint,
  memo,
  mint,
  mintTo,
  newMint,
  otherMint,
  ownOf,
  paymentOf,
  prepareSol,
  type Step,
  sendChecked,
  sendTokens,
  shop,
  transfer,
  unitLimit,
  unitPrice,
} from '../support/sol-payments.ts'
import { associatedAccount } from '../support/solana.ts'

const source = associatedAccount(alice.address, mint)
const shopAccount = associatedAccount(shop, mint)
const bobAccount = associatedAccount(bob.address, mint)
const nft = associatedAccount(shop, newMint.address)
const token = `SOL:${mint}`
const rent = 2_039_280n

type Said = readonly [
  name: string,
  steps: readonly Step[],
  said: {
    readonly kind: string
    readonly outputs: readonly (readonly [to: string, amount: bigint, asset: string])[]
    readonly from?: readonly string[]
    readonly fee?: bigint
  },
]

const told: readonly Said[] = [
  [
    'lamports for two',
    [transfer(alice.address, shop, 7n), transfer(alice.address, otherMint, 2n ** 64n - 1n)],
    {
      kind: 'transfer',
      outputs: [
        [shop, 7n, 'SOL'],
        [otherMint, 2n ** 64n - 1n, 'SOL'],
      ],
    },
  ],
  [
    'tokens out of an account whose mint nobody names',
    [sendTokens(source, shopAccount, alice.address, 5n)],
    {
      kind: 'token-transfer',
      outputs: [[shopAccount, 5n, `SOL:token account ${source}`]],
      from: [alice.address, source],
    },
  ],
  [
    'tokens for a wallet whose account is made',
    [makeAccount(alice.address, shop, mint), sendTokens(source, shopAccount, alice.address, 5n)],
    { kind: 'token-transfer', outputs: [[shop, 5n, token]], fee: 5_000n + rent },
  ],
  [
    'tokens for an account that is made if it is not there',
    [
      makeAccount(alice.address, shop, mint, Buffer.of(1)),
      sendChecked(mint, source, shopAccount, alice.address, 5n),
    ],
    { kind: 'token-transfer', outputs: [[shop, 5n, token]], fee: 5_000n + rent },
  ],
  [
    'tokens of a mint that is named',
    [sendChecked(mint, source, shopAccount, alice.address, 5n)],
    { kind: 'token-transfer', outputs: [[shopAccount, 5n, token]] },
  ],
  [
    'tokens of somebody else, moved with a power given earlier',
    [sendChecked(mint, bobAccount, shopAccount, alice.address, 5n)],
    {
      kind: 'token-transfer',
      outputs: [[shopAccount, 5n, token]],
      from: [alice.address, bobAccount],
    },
  ],
  [
    'an account for tokens and nothing in it',
    [makeAccount(alice.address, shop, mint, Buffer.of(0))],
    { kind: 'create-token-account', outputs: [[shop, 0n, token]], fee: 5_000n + rent },
  ],
  [
    'more tokens of a mint',
    [mintTo(mint, bobAccount, alice.address, 9n)],
    { kind: 'mint-to', outputs: [[bobAccount, 9n, token]] },
  ],
  [
    'a memo',
    [transfer(alice.address, shop, 7n), memo('for\n“you”', alice.address)],
    {
      kind: 'transfer',
      outputs: [
        [shop, 7n, 'SOL'],
        ['memo for%0A%E2%80%9Cyou%E2%80%9D', 0n, 'SOL'],
      ],
    },
  ],
  [
    'a price for units, of which a part of a lamport counts as one',
    [unitPrice(1_001n), unitLimit(200_000), transfer(alice.address, shop, 7n)],
    { kind: 'transfer', outputs: [[shop, 7n, 'SOL']], fee: 5_000n + 201n },
  ],
  [
    'a price for as many units as instructions may use',
    [unitPrice(10_000n), transfer(alice.address, shop, 7n)],
    { kind: 'transfer', outputs: [[shop, 7n, 'SOL']], fee: 5_000n + 4_000n },
  ],
  [
    'a price for more units than there are',
    [unitPrice(1_000_000n), unitLimit(2 ** 32 - 1), transfer(alice.address, shop, 7n)],
    { kind: 'transfer', outputs: [[shop, 7n, 'SOL']], fee: 5_000n + 1_400_000n },
  ],
]

describe('what a payment does', () => {
  test.each(told)('is told: %s', (_name, steps, { kind, outputs, from, fee = 5_000n }) => {
    const message = compile(alice.address, steps)
    const intent = {
      kind,
      from: from ?? [alice.address],
      outputs: outputs.map(([to, amount, asset]) => ({ to, amount, asset, own: false })),
      fee: { amount: fee, asset: 'SOL' },
    }
    expect(sol.review(paymentOf(message), ownOf(alice))).toEqual(intent)
    expect(prepareSol(message, [alice])).toMatchObject({ intent })
  })

  test('is told: an NFT, made and given away', () => {
    const steps = [
      makeMint(alice.address, newMint.address),
      initMint(newMint.address, alice.address, alice.address),
      makeAccount(alice.address, shop, newMint.address),
      mintTo(newMint.address, nft, alice.address, 1n),
    ]
    const { intent } = prepareSol(compile(alice.address, steps), [alice], newMint)
    expect(intent).toEqual({
      kind: 'create-mint',
      from: [alice.address],
      outputs: [
        { to: `mint ${newMint.address}`, amount: 1_461_600n, asset: 'SOL', own: false },
        { to: shop, amount: 1n, asset: `SOL:${newMint.address}`, own: false },
      ],
      fee: { amount: 10_000n + rent, asset: 'SOL' },
    })
  })

  test('is told with what comes back', () => {
    const steps = [
      transfer(alice.address, alice.address, 1n),
      sendChecked(mint, source, source, alice.address, 2n),
      sendChecked(mint, source, bobAccount, alice.address, 3n),
    ]
    const message = compile(bob.address, steps)
    const { outputs, from } = sol.review(paymentOf(message), ownOf(alice, bob))
    expect(outputs.map(({ to, own }) => [to, own])).toEqual([
      [alice.address, true],
      [alice.address, true],
      [bob.address, true],
    ])
    expect(from).toEqual([alice.address, bob.address])
  })

  test.each([
    [10_000_000n, true],
    [10_000_001n, false],
  ])('a priority of %p lamports may be paid: %p', (lamports, isPaid) => {
    const steps = [
      unitPrice(lamports),
      unitLimit(1_000_000),
      makeAccount(alice.address, shop, mint),
      transfer(alice.address, shop, 1n),
    ]
    const prepare = () => prepareSol(compile(alice.address, steps), [alice])
    if (isPaid) expect(prepare().intent.fee?.amount).toBe(5_000n + rent + lamports)
    else expect(prepare).toThrow(refusal('policy-denied', /above the limit/))
  })
})
