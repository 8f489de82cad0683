import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { Judged } from '../../src/guard/policy.ts'
import { judge } from '../../src/guard/policy-judge.ts'
import {
  alice,
  bob,
  nothingSpent,
  output,
  payment,
  policyOf,
  verdictOn,
  walletA,
  walletB,
} from '../support/policies.ts'

const token = 'ETH:0xdac17f958d2ee523a2206206994597c13d831ec7'
const carol = '0x000000000000000000000000000000000000ca01'

type Row = readonly [name: string, rule: object, judged: Judged, isAllowed: boolean]

describe('a rule that allows', () => {
  const rows: readonly Row[] = [
    ['everything allows what can be read', {}, payment(), true],
    ['everything leaves out what cannot be read', {}, payment({ unread: true }), false],
    ['what cannot be read leaves out the rest', { unread: true }, payment(), false],
    ['what cannot be read', { unread: true }, payment({ unread: true }), true],
    ['another chain', { chains: ['BTC'] }, payment(), false],
    ['this chain', { chains: ['BTC', 'ETH'] }, payment(), true],
    ['another kind', { kinds: ['contract-call'] }, payment(), false],
    ['one of two kinds', { kinds: ['transfer'] }, payment({ kind: 'transfer+trust' }), false],
    ['both kinds', { kinds: ['trust', 'transfer'] }, payment({ kind: 'transfer+trust' }), true],
    ['its wallet', { wallets: [walletA] }, payment(), true],
    ['a wallet in capitals', { wallets: [walletA.toUpperCase()] }, payment(), true],
    [
      'one of its two wallets',
      { wallets: [walletA] },
      payment({ wallets: [walletA, walletB] }),
      false,
    ],
    ['its recipient', { recipients: [bob] }, payment(), true],
    [
      'its recipient with a checksum',
      { recipients: ['0x687422eEA2cB73B5d3e242bA5456b782919AFc85'] },
      payment(),
      true,
    ],
    ['another recipient', { recipients: [alice] }, payment(), false],
    [
      'one of two recipients',
      { recipients: [bob] },
      payment({ outputs: [output(), output({ to: alice })] }),
      false,
    ],
    [
      'the recipient of all but the change',
      { recipients: [bob] },
      payment({ outputs: [output(), output({ to: alice, own: true })] }),
      true,
    ],
    [
      'recipients, of a payment to its own keys',
      { recipients: [bob] },
      payment({ outputs: [output({ to: alice, own: true })] }),
      true,
    ],
    ['recipients, of what pays nobody', { recipients: [bob] }, payment({ outputs: [] }), false],
    [
      'recipients, of what only says something',
      { recipients: [bob] },
      payment({ outputs: [output({ to: 'Flags=1', amount: 0n })] }),
      false,
    ],
    [
      'its recipient, beside a remark',
      { recipients: [bob] },
      payment({ outputs: [output(), output({ to: 'memo for Bob', amount: 0n })] }),
      true,
    ],
    [
      'its recipient, beside a remark that is paid',
      { recipients: [bob] },
      payment({ outputs: [output(), output({ to: 'script 51', amount: 1n })] }),
      false,
    ],
    [
      'its recipient, beside nothing for somebody else',
      { recipients: [bob] },
      payment({ outputs: [output(), output({ to: carol, amount: 0n })] }),
      false,
    ],
    [
      'a recipient with any tag',
      { recipients: ['rBob'] },
      payment({ outputs: [output({ to: 'rBob?tag=5' })] }),
      true,
    ],
    [
      'a recipient with this tag',
      { recipients: ['rBob?tag=5'] },
      payment({ outputs: [output({ to: 'rBob?tag=5' })] }),
      true,
    ],
    [
      'a recipient with another tag',
      { recipients: ['rBob?tag=5'] },
      payment({ outputs: [output({ to: 'rBob?tag=55' })] }),
      false,
    ],
    [
      'a recipient with a tag, of one without',
      { recipients: ['rBob?tag=5'] },
      payment({ outputs: [output({ to: 'rBob' })] }),
      false,
    ],
    [
      'an XDC address in either spelling',
      { recipients: [bob.replace('0x', 'xdc')] },
      payment({ chain: 'XDC' }),
      true,
    ],
    ['its asset', { assets: ['ETH'] }, payment(), true],
    ['a token, of a coin', { assets: [token] }, payment(), false],
    [
      'a coin, of a token',
      { assets: ['ETH'] },
      payment({ outputs: [output({ asset: token })] }),
      false,
    ],
    [
      'a contract, of one token of it',
      { assets: [token.toUpperCase().replace('0X', '0x')] },
      payment({ outputs: [output({ asset: `${token}#7` })] }),
      true,
    ],
    [
      'one token, of another of the contract',
      { assets: [`${token}#8`] },
      payment({ outputs: [output({ asset: `${token}#7` })] }),
      false,
    ],
    [
      'a chain and a recipient, of which one is right',
      { chains: ['ETH'], recipients: [alice] },
      payment(),
      false,
    ],
  ]

  test.each(rows)('%s', (_, members, judged, isAllowed) => {
    const rule = [{ name: 'x', action: 'allow', ...members }]
    const expected = isAllowed
      ? { kind: 'approved', by: 'rule "x"' }
      : { kind: 'denied', by: 'default' }
    expect(verdictOn({ rule }, judged)).toMatchObject(expected)
    if (isAllowed) return
    // Where the default is to allow, it is not the rule that does.
    expect(verdictOn({ default: 'allow', rule }, judged).by).toBe('default')
  })
})

describe('a rule that denies', () => {
  const two = [output(), output({ to: alice })]
  const rows: readonly (readonly [string, object, Judged, boolean])[] = [
    ['everything', {}, payment(), true],
    ['everything, also what cannot be read', {}, payment({ unread: true }), true],
    ['what cannot be read', { unread: true }, payment(), false],
    ['what can be read', { unread: false }, payment({ unread: true }), false],
    ['one of two recipients', { recipients: [alice] }, payment({ outputs: two }), true],
    ['a recipient with any tag', { recipients: ['r1'] }, paysTo('r1?tag=1'), true],
    ['another recipient', { recipients: [carol] }, payment({ outputs: two }), false],
    [
      'a recipient who is the payer',
      { recipients: [alice] },
      payment({ outputs: [output({ to: alice, own: true })] }),
      false,
    ],
    [
      'a recipient of nothing',
      { recipients: [alice] },
      payment({ outputs: [output({ to: alice, amount: 0n })] }),
      true,
    ],
    ['one of two kinds', { kinds: ['trust'] }, payment({ kind: 'transfer+trust' }), true],
    ['one of two wallets', { wallets: [walletB] }, payment({ wallets: [walletA, walletB] }), true],
    ['assets, of what has none', { assets: ['ETH'] }, payment({ outputs: [] }), false],
    ['another chain', { chains: ['BTC'] }, payment(), false],
  ]

  test.each(rows)('%s', (_, members, judged, isDenied) => {
    const rule = [{ name: 'x', action: 'deny', ...members }]
    expect(verdictOn({ default: 'allow', rule }, judged)).toMatchObject(
      isDenied
        ? {
            kind: 'denied',
            by: 'rule "x"',
            reason: 'the policy denies it: rule "x": it denies this payment',
          }
        : { kind: 'approved', by: 'default' },
    )
  })

  test('wins over one that allows, wherever it stands', () => {
    const allow = { name: 'a', action: 'allow' }
    const deny = { name: 'd', action: 'deny', recipients: [bob] }
    for (const rule of [
      [allow, deny],
      [deny, allow],
    ]) {
      expect(verdictOn({ rule }, payment())).toMatchObject({ kind: 'denied', by: 'rule "d"' })
    }
  })

  function paysTo(to: string): Judged {
    return payment({ outputs: [output({ to })] })
  }
})

describe('a cap', () => {
  const capped = (members: object) => ({
    default: 'allow',
    cap: [{ name: 'c', asset: 'ETH', ...members }],
  })

  test.each<readonly [string, object, Judged, boolean]>([
    ['holds a payment and its fee', { transaction: 107 }, payment(), true],
    ['counts the fee', { transaction: 106 }, payment(), false],
    [
      'is not about a fee in another asset',
      { transaction: 100 },
      payment({ fee: { amount: 7n, asset: 'VTHO' } }),
      true,
    ],
    [
      'adds outputs',
      { transaction: 206 },
      payment({ outputs: [output(), output({ to: alice })] }),
      false,
    ],
    [
      'leaves out what comes back',
      { transaction: 107 },
      payment({ outputs: [output(), output({ own: true })] }),
      true,
    ],
    [
      'leaves out the recipients it excepts',
      { transaction: 7, except: [bob.toUpperCase().replace('0X', '0x')] },
      payment(),
      true,
    ],
    ['of another asset says nothing', { asset: token, transaction: 0 }, payment(), true],
    ['of other wallets says nothing', { wallets: [walletB], transaction: 0 }, payment(), true],
    [
      'of one of its wallets holds for all of it',
      { wallets: [walletB], transaction: 106 },
      payment({ wallets: [walletA, walletB] }),
      false,
    ],
    [
      'has no room for all tokens of a contract',
      { asset: token, transaction: '1e70' },
      payment({ kind: 'approve-all', outputs: [output({ asset: token, amount: 1n })] }),
      false,
    ],
    [
      'has room for taking that back',
      { asset: token, transaction: 0 },
      payment({ kind: 'approve-all', outputs: [output({ asset: token, amount: 0n })] }),
      true,
    ],
    [
      'counts what somebody may fetch',
      { asset: token, transaction: 99 },
      payment({ kind: 'approve', outputs: [output({ asset: token })] }),
      false,
    ],
    [
      'does not count what others may owe',
      { asset: 'XRP:USD.rIssuer', transaction: 0 },
      payment({ kind: 'trust', outputs: [output({ asset: 'XRP:USD.rIssuer' })] }),
      true,
    ],
    [
      'counts of what others pay only our fee',
      { asset: 'KLAY', transaction: 7 },
      payment({
        chain: 'KLAY',
        kind: 'fee-delegation',
        outputs: [output({ asset: 'KLAY' })],
        fee: { amount: 7n, asset: 'KLAY' },
      }),
      true,
    ],
  ])('%s', (_, members, judged, isAllowed) => {
    const expected = isAllowed ? { kind: 'approved' } : { kind: 'denied', by: 'cap "c"' }
    expect(verdictOn(capped(members), judged)).toMatchObject(expected)
  })

  test('of a window has room for what was not spent before', () => {
    const policy = policyOf(capped({ window: '24h', total: 1_000 }))
    const after = (spent: bigint) => judge(policy, payment(), () => spent)
    expect(after(893n)).toMatchObject({ kind: 'approved', by: 'default' })
    expect(after(894n)).toEqual({
      kind: 'denied',
      by: 'cap "c"',
      reason: 'the policy denies it: cap "c": 107 of ETH is more than its window has room for',
    })
  })

  test('of each wallet is asked for each wallet', () => {
    const policy = policyOf(capped({ window: '1h', total: 107, each: 'wallet' }))
    const judged = payment({ wallets: [walletA, walletB] })
    const asked: string[] = []
    judge(policy, judged, (_, owner) => {
      asked.push(owner)
      return 0n
    })
    expect(asked).toEqual([walletA, walletB])
    const spent = (_: unknown, owner: string) => (owner === walletB ? 1n : 0n)
    expect(judge(policy, judged, spent)).toMatchObject({ kind: 'denied' })
  })

  test('does not make of a denial a yes', () => {
    const denied = { cap: [{ name: 'c', asset: 'ETH', transaction: '1e30' }] }
    expect(verdictOn(denied, payment())).toMatchObject({ kind: 'denied', by: 'default' })
  })
})

describe('of any policy and payment', () => {
  const some = <T>(values: readonly T[]) => fc.subarray([...values], { minLength: 1 })
  const rule = fc.record(
    {
      action: fc.constantFrom('allow', 'deny'),
      chains: some(['ETH', 'BTC']),
      kinds: some(['transfer', 'trust']),
      wallets: some([walletA, walletB]),
      recipients: some([alice, bob]),
      assets: some(['ETH', token]),
      unread: fc.boolean(),
    },
    { requiredKeys: ['action'] },
  )
  const rules = fc
    .array(rule, { maxLength: 4 })
    .map(list => list.map((each, i) => ({ ...each, name: `r${i}` })))
  const caps = fc
    .array(fc.record({ asset: fc.constantFrom('ETH', token), transaction: fc.nat(300) }), {
      maxLength: 3,
    })
    .map(list => list.map((each, i) => ({ ...each, name: `c${i}` })))
  const file = fc.record({ default: fc.constantFrom('allow', 'deny'), rule: rules, cap: caps })
  const judged = fc.record({
    chain: fc.constantFrom('ETH', 'BTC'),
    wallets: some([walletA, walletB]),
    kind: fc.constantFrom('transfer', 'trust', 'transfer+trust'),
    unread: fc.boolean(),
    outputs: fc.array(
      fc.record({
        to: fc.constantFrom(alice, bob, 'memo 1'),
        amount: fc.bigInt({ min: 0n, max: 200n }),
        asset: fc.constantFrom('ETH', token),
        own: fc.boolean(),
      }),
      { maxLength: 3 },
    ),
  })
  const kindOf = (members: object, of: Judged) => verdictOn(members, of).kind

  test('the order of rules and caps, and of outputs, means nothing', () => {
    fc.assert(
      fc.property(file, judged, (members, of) => {
        const turned = {
          ...members,
          rule: members.rule.toReversed(),
          cap: members.cap.toReversed(),
        }
        const mirrored = payment({ ...of, outputs: of.outputs.toReversed() })
        expect(kindOf(turned, mirrored)).toBe(kindOf(members, payment(of)))
      }),
    )
  })

  test('a rule that denies, and a cap, allow nothing new; one that allows denies nothing', () => {
    fc.assert(
      fc.property(file, rule, judged, (members, added, of) => {
        const before = kindOf(members, payment(of))
        const ruled = (action: string) => ({
          ...members,
          rule: [...members.rule, { ...added, action, name: 'added' }],
        })
        const capped = {
          ...members,
          cap: [...members.cap, { name: 'added', asset: 'ETH', transaction: 50 }],
        }
        if (before === 'denied') {
          expect(kindOf(ruled('deny'), payment(of))).toBe('denied')
          expect(kindOf(capped, payment(of))).toBe('denied')
        } else {
          expect(kindOf(ruled('allow'), payment(of))).toBe('approved')
        }
      }),
    )
  })

  test('a larger amount is never what makes it a yes', () => {
    fc.assert(
      fc.property(file, judged, fc.bigInt({ min: 1n, max: 300n }), (members, of, more) => {
        // An amount turns a remark into a payment, which a rule may be about.
        fc.pre(of.outputs.every(({ to }) => to !== 'memo 1'))
        const larger = of.outputs.map(each => ({ ...each, amount: each.amount + more }))
        if (kindOf(members, payment(of)) === 'denied') {
          expect(kindOf(members, payment({ ...of, outputs: larger }))).toBe('denied')
        }
      }),
    )
  })

  test('a judgement says where it comes from', () => {
    fc.assert(
      fc.property(file, judged, (members, of) => {
        const { by } = judge(policyOf(members), payment(of), nothingSpent)
        const names = [
          'default',
          ...members.rule.map(({ name }) => `rule "${name}"`),
          ...members.cap.map(({ name }) => `cap "${name}"`),
        ]
        expect(names).toContain(by)
      }),
    )
  })
})
