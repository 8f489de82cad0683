import { btcPayment, ethPayment, pendingIdOf } from './payments.ts'

/** Lists of pending transactions that make no sense, as JSON: not all of them can be written as values. */
export const hostileLists: Readonly<Record<string, string>> = {
  'ids that are paths': entries({ id: '../../etc/passwd' }, { id: '..%2f..%2f' }, { id: '/' }),
  'ids that are addresses': entries({ id: 'http://127.0.0.1:1/' }, { id: 'a?b=c#d' }),
  'ids that move cursors': entries({ id: '\u001b[2J' }, { id: 'a\nb' }, { id: '\u202ea' }),
  'ids that are names of prototypes': entries(
    { id: '__proto__' },
    { id: 'constructor' },
    { id: 'toString' },
  ),
  'ids of other types': entries({ id: 7 }, { id: null }, { id: {} }, { id: ['a'] }, { id: true }),
  'ids without end': entries({ id: 'x'.repeat(101) }, { id: 'x'.repeat(1_000_000) }, { id: '' }),
  'no ids, ten thousand times': `[${Array.from({ length: 10_000 }, () => '{}').join()}]`,
  'what is no entry': '[null, 7, "x", true, [], [[]], {}]',
  'another chain': entries(
    { chain: 'ETH' },
    { chain: 'btc' },
    { chain: '__proto__' },
    { chain: 7 },
  ),
  'wallets of nobody': entries(
    { hashes: ['99999999-9999-4999-8999-999999999999'] },
    { hashes: ['../wallet'] },
    { hashes: [] },
    { hashes: {} },
    { hashes: Array.from({ length: 10_001 }, () => 'x') },
  ),
  'indexes of all kinds': entries(
    { index: -1 },
    { index: 2 ** 31 },
    { index: 0.5 },
    { index: '0' },
  ),
  'numbers beyond numbers': withText('"index":1e999'),
  'a member of prototypes': withText('"__proto__":{"chain":"ETH","hashes":[]}'),
  'a member twice': withText(`"id":"${pendingIdOf(901)}","id":"${pendingIdOf(902)}"`),
  'a deep member': withText(`"x":${'['.repeat(30_000)}${']'.repeat(30_000)}`),
  'a deep transaction': entries({ serializedTransaction: '['.repeat(100_000) }),
  'a transaction without end': entries({ serializedTransaction: 'x'.repeat(1_000_001) }),
  'an entry without end': entries({ more: 'x'.repeat(3_000_000) }),
  'half a character': withText('"x":"\\ud800","serializedTransaction":"\\udfff"'),
  'transactions of other types': entries(
    ...[null, 7, {}, [], true, '', 'null', '"x"', '[]', '{"__proto__":{}}'].map(
      serializedTransaction => ({ serializedTransaction }),
    ),
  ),
  'amounts that are none': entries(
    ...['1e999', '-1', 'null', '"90001"', '1.5', '9007199254740993', '{}'].map(satoshis => ({
      serializedTransaction: btcPayment(900).serializedTransaction.replace('90900', satoshis),
    })),
  ),
}

/** Payments that are wrong in one thing each. */
function entries(...changes: readonly object[]): string {
  const one = (change: object, i: number) => ({ ...btcPayment(900 + i), ...change })
  return JSON.stringify(changes.map(one))
}

/** A payment with more in its text. */
function withText(members: string): string {
  return `[{${JSON.stringify(btcPayment(900)).slice(1, -1)},${members}}]`
}

/** One id with two contents, in one answer. */
export function contradiction(n: number): readonly [string, string] {
  const [one, other] = [btcPayment(n), { ...btcPayment(n + 5_000), id: pendingIdOf(n) }]
  return [JSON.stringify([one, other, one]), JSON.stringify([other, one, other])]
}

/** One id on two chains. */
export function sameIdOn(n: number): Readonly<Record<'BTC' | 'ETH', string>> {
  return { BTC: JSON.stringify([btcPayment(n)]), ETH: JSON.stringify([ethPayment(n)]) }
}
