import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { KmsError } from '../../src/base/errors.ts'
import type { Chain } from '../../src/chains/chain.ts'
import { outcome, pool, prepare, scriptOf, transactionOf, utxoChains } from '../support/utxo.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

const valid = transactionOf(['p2pkh', 'p2pk'])
const validText = JSON.stringify(valid)
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.json(),
  fc.uint8Array().map(bytes => Buffer.from(bytes).toString('latin1')),
  fc.constantFrom('{"__proto__":{}}', '{"__proto__":{"version":2}}', '{"constructor":1}'),
)
const replacement = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom<unknown>(undefined, null, -0, -1, 0.5, 2 ** 53, 1e308, '', '0', '00', [], {}),
)

describe.each(utxoChains)('$id: hostile text', chain => {
  test('is never more than a refusal', () => {
    fc.assert(
      fc.property(text, serialized => {
        expectQuickAnswer(chain, serialized)
      }),
    )
  })

  test('made of a good transaction with one part replaced is refused or read', () => {
    fc.assert(
      fc.property(fc.nat(), replacement, (where, value) => {
        const copy = structuredClone(valid)
        replaceNode(copy, where, value)
        expectQuickAnswer(chain, JSON.stringify(copy))
      }),
    )
  })

  test('made of a good transaction cut short is refused', () => {
    for (let length = 0; length < validText.length; length++) {
      expectRefused(chain, validText.slice(0, length))
    }
  })

  test.each(Object.entries(large()))('%s is refused at once', (_, serialized) => {
    expectRefused(chain, serialized)
  })
})

/** Half a megabyte each: more than a transaction may have. */
function large(): Readonly<Record<string, string>> {
  const [input] = valid.inputs
  const many = <T>(count: number, make: (i: number) => T): readonly T[] =>
    Array.from({ length: count }, (_, i) => make(i))
  const withParts = (parts: object) => JSON.stringify({ ...valid, ...parts })
  const satoshis = 1
  return {
    'nesting of lists': '['.repeat(500_000),
    'nesting of lists that is closed': `{"inputs":${'['.repeat(250_000)}${']'.repeat(250_000)}}`,
    'nesting of objects': '{"a":'.repeat(100_000),
    'nesting under __proto__': `${'{"__proto__":'.repeat(35_000)}1${'}'.repeat(35_000)}`,
    'a long string': JSON.stringify('x'.repeat(500_000)),
    'a string of escapes': `"${'\\u0000'.repeat(83_000)}"`,
    'a long number': `{"version":${'9'.repeat(500_000)}}`,
    'a long fraction': `{"version":0.${'0'.repeat(500_000)}1}`,
    'a long list of zeros': `[${'0,'.repeat(250_000)}0]`,
    'many members': JSON.stringify(Object.fromEntries(many(40_000, i => [`m${i}`, 0]))),
    'one member many times': `{${'"version":2,'.repeat(41_000)}"version":2}`,
    'many inputs': withParts({ inputs: many(3_000, i => ({ ...input, outputIndex: i })) }),
    'an input many times': withParts({ inputs: many(3_000, () => input) }),
    'many outputs': withParts({ outputs: many(16_000, () => ({ satoshis, script: '' })) }),
    'a long script': withParts({ outputs: [{ satoshis, script: '6a'.repeat(250_000) }] }),
    'a long foreign script': withParts({
      inputs: [{ ...input, output: { satoshis: 100_000, script: '51'.repeat(250_000) } }],
    }),
    'a long script that is almost multisig': withParts({
      inputs: [{ ...input, output: { satoshis, script: `51${'21'.repeat(250_000)}` } }],
    }),
    'a long change script': withParts({ changeIndex: 0, changeScript: 'OP_0 '.repeat(100_000) }),
    'a change script of many operations': withParts({
      outputs: [{ satoshis, script: '51'.repeat(99_000) }],
      changeIndex: 0,
      changeScript: 'x',
    }),
    'a long hash': withParts({ hash: 'ab'.repeat(250_000) }),
    'an address in place of a script': withParts({
      outputs: [{ satoshis, script: scriptOf('p2pkh', pool[0]).repeat(10_000) }],
    }),
  }
}

function expectRefused(chain: Chain, serialized: string): void {
  expect(expectQuickAnswer(chain, serialized)).toBeInstanceOf(KmsError)
}

/** An answer or a KmsError that says whose fault it is; nothing else, and not slowly. */
function expectQuickAnswer(chain: Chain, serialized: string): unknown {
  const answer = quickly(() => outcome(() => prepare(chain, serialized)))
  if (answer instanceof KmsError) {
    expect(answer.code).toMatch(/^(transaction-malformed|transaction-refused|policy-denied)$/)
  }
  return answer
}

/** Within a second, once in five times: the machine may be busy with something else. */
function quickly<T>(run: () => T, attempts = 5): T {
  const started = performance.now()
  const answer = run()
  if (performance.now() - started < 1_000) return answer
  if (attempts === 1) throw new Error('it took more than a second')
  return quickly(run, attempts - 1)
}

/** Replaces the `where`-th member found anywhere in `root`. */
function replaceNode(root: unknown, where: number, value: unknown): void {
  const members: (readonly [object, string])[] = []
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    for (const [member, child] of Object.entries(node)) {
      members.push([node, member])
      visit(child)
    }
  }
  visit(root)
  const [holder, member] = members[where % members.length] ?? []
  if (holder !== undefined && member !== undefined) Reflect.set(holder, member, value)
}
