import { describe, expect, test } from 'bun:test'
import { refusal } from '../support/refusal.ts'
import {
  alice,
  bob,
  carol,
  compile,
  initMint,
  makeAccount,
  makeMint,
  memo,
  mint,
  newMint,
  prepareSol,
  read,
  type Step,
  sendTokens,
  shop,
  signaturesOf,
  signer,
  transfer,
  type Wallet,
} from '../support/sol-payments.ts'
import { associatedAccount } from '../support/solana.ts'

const refused = 'transaction-refused'

const source = associatedAccount(alice.address, mint)

describe('a key is refused', () => {
  const paying = [transfer(alice.address, shop, 5n)]
  const minting = [
    makeMint(alice.address, newMint.address),
    initMint(newMint.address, alice.address),
  ]
  const halves = {
    ...newMint,
    pair: Buffer.concat([bob.pair.subarray(0, 32), newMint.pair.subarray(32)]),
  }

  type Asked = readonly [
    name: string,
    steps: readonly Step[],
    wallets: readonly Wallet[],
    mintKey: Wallet | undefined,
    said: RegExp,
  ]
  const payments: readonly Asked[] = [
    ['of a wallet that does not sign', paying, [alice, bob], undefined, /is no signer of the/],
    ['that is another one', paying, [bob], undefined, /is no signer of the transaction/],
    ['of a mint that does not sign', paying, [alice], newMint, /mintPK is the key of no signer/],
    ['of a mint that is not made', [memo('', newMint.address)], [alice], newMint, /in 'memo'/],
    ['of a wallet as mint', paying, [alice], alice, /mintPK is the key of a wallet/],
    ['that is missing', [...paying, memo('', bob.address)], [alice], undefined, /none of the wal/],
    [
      'that signs and does nothing',
      [...paying, { ...memo(''), accounts: [read(alice.address), signer(newMint.address)] }],
      [alice],
      newMint,
      /acts in 'memo'/,
    ],
    [
      'of a mint that gives lamports away',
      [...minting, transfer(newMint.address, shop, 1n)],
      [alice],
      newMint,
      /acts in 'transfer'/,
    ],
    [
      'of a mint that is paid',
      [...minting, transfer(alice.address, newMint.address, 1n)],
      [alice],
      newMint,
      /the new mint has another part in 'transfer'/,
    ],
    [
      'of a mint that gets tokens',
      [...minting, sendTokens(source, newMint.address, alice.address, 1n)],
      [alice],
      newMint,
      /the new mint has another part in 'token-transfer'/,
    ],
    [
      'of a mint that owns a token account',
      [...minting, makeAccount(alice.address, newMint.address, mint)],
      [alice],
      newMint,
      /the new mint has another part in 'create-token-account'/,
    ],
    [
      'of a mint that mints itself',
      [makeMint(alice.address, newMint.address), initMint(newMint.address, newMint.address)],
      [alice],
      newMint,
      /acts in 'initialize-mint'/,
    ],
    [
      'of a mint that others freeze',
      [
        makeMint(alice.address, newMint.address),
        initMint(newMint.address, alice.address, carol.address),
      ],
      [alice],
      newMint,
      /acts in 'initialize-mint'/,
    ],
    [
      'of a second mint',
      [...minting, makeMint(alice.address, bob.address)],
      [alice, bob],
      newMint,
      /key did not come along/,
    ],
    [
      'of a mint that is made twice',
      [...minting, makeMint(alice.address, newMint.address)],
      [alice],
      newMint,
      /twice/,
    ],
  ]

  test.each(payments)('%s', (_name, steps, wallets, mintKey, said) => {
    const prepare = () => prepareSol(compile(alice.address, steps), wallets, mintKey)
    expect(prepare).toThrow(refusal(refused, said))
  })

  test('of a mint that pays the fee', () => {
    const message = compile(newMint.address, minting)
    const prepare = () => prepareSol(message, [alice], newMint)
    expect(prepare).toThrow(refusal(refused, /or pays the fee/))
  })

  test('whose halves do not belong together', () => {
    const prepared = prepareSol(compile(alice.address, minting), [alice], halves)
    const seal = () => prepared.seal(signaturesOf(prepared, [alice]))
    expect(seal).toThrow(refusal(refused, /halves of mintPK/))
  })

  test('not when they do', () => {
    const prepared = prepareSol(compile(alice.address, minting), [alice], newMint)
    expect(prepared.seal(signaturesOf(prepared, [alice])).txData).toEndWith('@1150@2000')
  })
})
