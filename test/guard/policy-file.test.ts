import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { KmsError } from '../../src/base/errors.ts'
import { parseShare, readPolicy } from '../../src/guard/policy-file.ts'
import { policyOf, vocabulary, walletA } from '../support/policies.ts'
import { refusalOf } from '../support/secret.ts'

const rule = (members: object) => ({ rule: [{ name: 'x', action: 'allow', ...members }] })
const cap = (members: object) => ({ cap: [{ name: 'x', asset: 'ETH', ...members }] })

test('a policy is what its file says', () => {
  const policy = policyOf({
    default: 'allow',
    share: '1/3',
    lift: ['XRP.SetRegularKey'],
    fees: { ETH: '1_000', BTC: 5 },
    rule: [{ name: 'a', action: 'deny', chains: ['ETH'], unread: true }],
    cap: [
      {
        name: 'b',
        asset: 'ETH:0xDAC17F958D2ee523a2206206994597C13D831ec7',
        each: 'wallet',
        transaction: '1.5e18',
        window: '7d',
        total: 100,
      },
    ],
  })
  expect(policy).toEqual({
    default: 'allow',
    rules: [{ name: 'a', action: 'deny', chains: new Set(['ETH']), unread: true }],
    caps: [
      {
        name: 'b',
        asset: 'ETH:0xdac17f958d2ee523a2206206994597c13d831ec7',
        eachWallet: true,
        transaction: 1_500_000_000_000_000_000n,
        window: { ms: 7 * 86_400_000, total: 33n },
      },
    ],
    lifted: ['XRP.SetRegularKey'],
    feeCaps: { ETH: '1000', BTC: '5' },
  })
})

describe('an amount', () => {
  test.each<readonly [unknown, bigint]>([
    [0, 0n],
    [9_007_199_254_740_991, 9_007_199_254_740_991n],
    ['0', 0n],
    ['007', 7n],
    ['1_000_000', 1_000_000n],
    ['5e18', 5n * 10n ** 18n],
    ['1.5e1', 15n],
    ['1_0.25e2', 1_025n],
    ['10e96', 10n ** 97n],
    [`${'9'.repeat(200)}`, 10n ** 200n - 1n],
  ])('%p is exact', (given, amount) => {
    expect(policyOf(cap({ transaction: given })).caps[0]?.transaction).toBe(amount)
  })

  test.each<readonly [string, unknown]>([
    ['a fraction', 1.5],
    ['more than a number holds', 2 ** 53],
    ['endless', Number.POSITIVE_INFINITY],
    ['no number', Number.NaN],
    ['below nothing', -1],
    ['below nothing in text', '-1'],
    ['a fraction in text', '1.5'],
    ['a fraction that its exponent does not clear', '1.55e1'],
    ['a negative exponent', '10e-1'],
    ['endless in text', '1e999999'],
    ['too many digits', '9'.repeat(201)],
    ['hexadecimal', '0xff'],
    ['a blank', ' 1'],
    ['empty', ''],
    ['a stray separator', '1__0'],
    ['of another unit', '1 ETH'],
    ['true', true],
    ['nothing', null],
    ['a list', [1]],
    ['other digits', '١'],
  ])('that is %s is refused', (_, given) => {
    const message = 'the policy is wrong at cap "x", transaction: it must be a whole number'
    expect(faultOf(cap({ transaction: given }))).toStartWith(message)
  })
})

describe('what is wrong is named', () => {
  test.each<readonly [string, object]>([
    ['version: it must be 1', { version: 2 }],
    ['version: it must be 1', { version: undefined }],
    ['default: it must say "allow" or "deny"', { default: undefined }],
    ['default: it must say "allow" or "deny"', { default: 'Allow' }],
    ['"rules": no such member is known here', { rules: [] }],
    ['a name: no such member is known here', { 'a\u001b[2J': 1 }],
    ['"__proto__": no such member is known here', JSON.parse('{"__proto__": {}}')],
    ['"constructor": no such member is known here', { constructor: {} }],
    ['rule: write each one as [[rule]]', { rule: {} }],
    ['rule 1: it is no table', { rule: [1] }],
    ['rule 1: its name is missing', { rule: [{ action: 'allow' }] }],
    ['rule 1: its name is missing, or not made of letters', rule({ name: 'a\nb' })],
    ['rule 1: its name is longer than 60 characters', rule({ name: 'x'.repeat(61) })],
    ['cap 1: another one is named "x" too', { ...rule({}), ...cap({ transaction: 1 }) }],
    ['rule "x", "recipient": no such member is known here', rule({ recipient: [] })],
    ['rule "x", action: it must say "allow" or "deny"', rule({ action: undefined })],
    ['rule "x", action: it must say "allow" or "deny"', rule({ action: 'permit' })],
    ['rule "x", chains: it must be a list of texts', rule({ chains: 'ETH' })],
    ['rule "x", chains: it is empty: leave it out, or list something', rule({ chains: [] })],
    ['rule "x", chains, number 2: it is no chain that is known', rule({ chains: ['ETH', 'eth'] })],
    ['rule "x", kinds, number 1: it is no kind of payment', rule({ kinds: ['tranfser'] })],
    ['rule "x", wallets, number 1: it is no signatureId', rule({ wallets: ['1'] })],
    ['rule "x", recipients, number 1: it must be text: 1 to 500', rule({ recipients: [''] })],
    ['rule "x", recipients, number 1: it must be text: 1 to 500', rule({ recipients: [7] })],
    ['rule "x", recipients, number 1: it must be text: 1 to 500', rule({ recipients: ['bоb'] })],
    ['rule "x", assets, number 1: it does not begin with the name', rule({ assets: ['USDT'] })],
    ['rule "x", unread: it must be true or false', rule({ unread: 'yes' })],
    ['cap "x": it has neither transaction nor window and total', cap({})],
    ['cap "x": window and total belong together', cap({ window: '24h' })],
    ['cap "x": window and total belong together', cap({ total: 1 })],
    ['cap "x", asset: it is missing', cap({ transaction: 1, asset: undefined })],
    ['cap "x", asset: it does not begin with the name', cap({ transaction: 1, asset: 'ETHER' })],
    ['cap "x", each: it must say "wallet"', cap({ transaction: 1, each: 'chain' })],
    ['cap "x", window: it must be like "90m", "24h" or "7d"', cap({ total: 1, window: '24' })],
    ['cap "x", window: it must be like', cap({ total: 1, window: '0h' })],
    ['cap "x", window: it must be like', cap({ total: 1, window: '32d' })],
    ['cap "x", window: it must be text', cap({ total: 1, window: 24 })],
    ['lift, number 1: it is no denial that is known here', { lift: ['XRP.setRegularKey'] }],
    ['fees: it is no table', { fees: [] }],
    ['fees, "DAI": no such member is known here', { fees: { DAI: 1 } }],
    ['fees, ETH: it is no fee that anybody pays', { fees: { ETH: '1e40' } }],
    ['share: it must be like "1/3"', { share: '2/3' }],
    ['rule: there are more than 1000', { rule: Array(1_001).fill({}) }],
    [
      'rule "x", recipients: it lists more than 50000',
      rule({ recipients: Array(50_001).fill('a') }),
    ],
  ])('%s', (message, members) => {
    expect(faultOf(members)).toStartWith(`the policy is wrong at ${message}`)
  })

  test.each([[undefined], [null], [1], ['allow'], [[]], [true]])('a policy that is %p', value => {
    const { message } = refusalOf(() => readPolicy(value, vocabulary))
    expect(message).toBe('the policy is wrong at the policy: it is no table')
  })
})

describe('a share', () => {
  test('divides totals, and not what one payment may take', () => {
    const members = cap({ transaction: 100, window: '1h', total: 10 })
    expect(policyOf(members, 3).caps[0]).toMatchObject({
      transaction: 100n,
      window: { total: 3n },
    })
  })

  test('all together are never more than the whole', () => {
    fc.assert(
      fc.property(fc.nat(10 ** 9), fc.integer({ min: 1, max: 9_999 }), (total, n) => {
        const [shared] = policyOf(cap({ window: '1h', total }), n).caps
        expect((shared?.window?.total ?? -1n) * BigInt(n)).toBeLessThanOrEqual(BigInt(total))
      }),
    )
  })

  test('in the file and on the command line is one too many', () => {
    const { message } = refusalOf(() => policyOf({ share: '1/2' }, 2))
    expect(message).toContain('share: --share is given as well')
  })

  test.each(['', '1', '1/0', '2/2', '1/10000', ' 1/2', '1/2 ', '1/x'])('%p is none', text => {
    expect(parseShare(text)).toBeUndefined()
  })
})

test('whatever the file holds, a policy is read or a sentence says what is wrong', () => {
  const name = fc.constantFrom(
    ...['version', 'default', 'share', 'lift', 'fees', 'rule', 'cap', 'name', 'action', 'chains'],
    ...['wallets', 'recipients', 'assets', 'unread', 'asset', 'each', 'window', 'total'],
    ...['transaction', 'except', '__proto__', 'constructor', 'toString', ''],
  )
  const leaf = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom<unknown>('allow', 'deny', 1, -1, 1.5, 2 ** 60, 'ETH', ['ETH'], '24h', walletA),
  )
  const { value } = fc.letrec<{ value: unknown }>(tie => ({
    value: fc.oneof(
      { depthSize: 'small' },
      leaf,
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(name, tie('value')),
    ),
  }))
  fc.assert(
    fc.property(fc.dictionary(name, value), fc.boolean(), (members, isWhole) => {
      const file = isWhole ? members : { version: 1, default: 'deny', ...members }
      try {
        readPolicy(file, vocabulary)
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(KmsError)
        expect((thrown as KmsError).code).toBe('usage')
        expect((thrown as KmsError).message).toMatch(/^the policy is wrong at [ -~]{5,300}$/)
      }
    }),
  )
})

function faultOf(members: object): string {
  return refusalOf(() => policyOf(members)).message
}
