import { describe, expect, test } from 'bun:test'
import type { ErrorCode } from '../../src/base/errors.ts'
import { refusal } from '../support/refusal.ts'
import {
  type Account,
  alice,
  budgetStep,
  compile,
  initMint,
  makeAccount,
  makeMint,
  memo,
  mint,
  mintTo,
  prepareSol,
  read,
  type Step,
  shop,
  signer,
  stray,
  systemStep,
  tokenStep,
  transfer,
  u64,
  unitLimit,
  unitPrice,
  written,
} from '../support/sol-payments.ts'
import { associatedAccount, ofBase58, systemProgram, tokenProgram } from '../support/solana.ts'

const malformed = 'transaction-malformed'
const refused = 'transaction-refused'
const denied = 'policy-denied'

const source = associatedAccount(alice.address, mint)
const account = associatedAccount(shop, mint)

describe('an instruction is refused', () => {
  const from = alice.address
  const data = (length: number) => Buffer.alloc(length, 1)
  const ofToken = ofBase58(tokenProgram)
  const pair: readonly Account[] = [signer(from), written(shop)]
  const tokens: readonly Account[] = [written(source), written(account), signer(from)]
  const made = makeAccount(from, shop, mint)
  const withAccounts = (...accounts: readonly Account[]): Step => ({ ...made, accounts })

  const steps: readonly (readonly [name: string, Step, ErrorCode, RegExp])[] = [
    [
      'of a program nobody knows',
      { ...made, program: stray },
      denied,
      /program 9?\w+ is not known/,
    ],
    ['of Token-2022', { ...made, program: token2022() }, denied, /is not known here/],
    ['System without a number', { ...made, program: systemProgram }, malformed, /no number/],
    ['System Assign', systemStep(1, [signer(from)], data(32)), denied, /Assign/],
    [
      'System CreateAccountWithSeed',
      systemStep(3, pair, data(60)),
      denied,
      /CreateAccountWithSeed/,
    ],
    ['System AdvanceNonceAccount', systemStep(4, pair), refused, /durable nonce/],
    ['System WithdrawNonceAccount', systemStep(5, pair, u64(1n)), denied, /WithdrawNonceAccount/],
    ['System AuthorizeNonceAccount', systemStep(7, pair, data(32)), denied, /AuthorizeNonceAcc/],
    ['System Allocate', systemStep(8, pair, u64(1n)), denied, /Allocate/],
    ['System TransferWithSeed', systemStep(11, pair, data(50)), denied, /TransferWithSeed/],
    ['System 13', systemStep(13, pair), denied, /instruction 13 of the System/],
    ['System 2^32 - 1', systemStep(2 ** 32 - 1, pair), denied, /instruction 4294967295/],
    ['a transfer of 32 bits', systemStep(2, pair, data(4)), malformed, /8 bytes of data in the pl/],
    [
      'a transfer of 65 bits',
      systemStep(2, pair, data(9)),
      malformed,
      /13 bytes of data in the pl/,
    ],
    [
      'a transfer to nobody',
      systemStep(2, pair.slice(0, 1), u64(5n)),
      malformed,
      /1 accounts in th/,
    ],
    ['a transfer of a stranger', transfer(stray, shop, 5n), refused, /none of the wallets/],
    [
      'a transfer whose giver does not sign',
      systemStep(2, [written(stray), written(shop)], u64(5n)),
      refused,
      /acts in 'transfer', but is no wallet/,
    ],
    [
      'an account that belongs to nobody known',
      systemStep(0, [signer(from), written(shop)], u64(1n), u64(82n), data(32)),
      denied,
      /something else than a mint/,
    ],
    [
      'an account of another size',
      systemStep(0, [signer(from), written(shop)], u64(1n), u64(165n), ofToken),
      denied,
      /something else than a mint/,
    ],
    ['a mint without its key', makeMint(from, from), refused, /key did not come along/],
    ['an old mint', initMint(shop, from), refused, /key did not come along/],
    ['Token without a number', { ...made, program: tokenProgram }, malformed, /has no number/],
    ['Token Approve', tokenStep(4, tokens, u64(1n)), denied, /^Approve of the Token program/],
    ['Token Revoke', tokenStep(5, tokens), denied, /^Revoke/],
    ['Token SetAuthority', tokenStep(6, tokens, data(34)), denied, /^SetAuthority/],
    ['Token Burn', tokenStep(8, tokens, u64(1n)), denied, /^Burn/],
    ['Token CloseAccount', tokenStep(9, tokens), denied, /^CloseAccount/],
    ['Token FreezeAccount', tokenStep(10, tokens), denied, /^FreezeAccount/],
    ['Token ApproveChecked', tokenStep(13, tokens, data(9)), denied, /^ApproveChecked/],
    ['Token 21', tokenStep(21, tokens), denied, /instruction 21 of the Token program/],
    ['Token 255', tokenStep(255, tokens), denied, /instruction 255 of the Token program/],
    ['tokens in 7 bytes', tokenStep(3, tokens, data(7)), malformed, /8 bytes of data in the place/],
    [
      'tokens that several sign for',
      tokenStep(3, [...tokens, signer(from)], u64(1n)),
      malformed,
      /4 accounts in the place of 3/,
    ],
    [
      'tokens of another authority',
      tokenStep(3, [written(source), written(account), read(stray)], u64(1n)),
      refused,
      /acts in 'token-transfer'/,
    ],
    ['more of a mint of others', mintTo(mint, account, stray, 1n), refused, /none of the wallets/],
    [
      'a token account at another address',
      withAccounts(...made.accounts.with(1, written(stray))),
      refused,
      /is not the token account of/,
    ],
    [
      'a token account of Token-2022',
      withAccounts(...made.accounts.with(5, read(token2022()))),
      denied,
      /another program than the Token program/,
    ],
    [
      'a token account with another account of rents',
      withAccounts(...made.accounts, read(stray)),
      malformed,
      /7 accounts in the place of 6/,
    ],
    [
      'a nested token account that is recovered',
      makeAccount(from, shop, mint, Buffer.of(2)),
      denied,
      /something else than an account/,
    ],
    [
      'a token account with more data',
      makeAccount(from, shop, mint, data(2)),
      denied,
      /something e/,
    ],
    ['a larger heap', budgetStep(1, data(4)), refused, /something else than limit or price/],
    ['a price of 32 bits', budgetStep(3, data(4)), malformed, /5 bytes of data in the place of 9/],
    ['a memo of no text', memo(Buffer.of(0xff)), malformed, /not text in UTF-8/],
    ['a memo of a stranger', { ...memo(''), accounts: [read(stray)] }, refused, /acts in 'memo'/],
    ['the same token account again', makeAccount(from, alice.address, mint), refused, /twice/],
    ['a limit again', unitLimit(2), refused, /twice/],
    ['a price again', unitPrice(2n), refused, /twice/],
  ]

  const before = [
    transfer(from, shop, 5n),
    unitLimit(1),
    unitPrice(1n),
    makeAccount(from, alice.address, mint),
  ]

  test.each(steps)('%s', (_name, step, code, said) => {
    const prepare = () => prepareSol(compile(from, [...before, step]), [alice])
    expect(prepare).toThrow(refusal(code, said))
  })

  test('that sets a limit, where it is the only one', () => {
    const prepare = () => prepareSol(compile(from, [unitLimit(1), unitPrice(1n)]), [alice])
    expect(prepare).toThrow(refusal(refused, /does nothing/))
  })

  function token2022(): string {
    return 'TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb'
  }
})
