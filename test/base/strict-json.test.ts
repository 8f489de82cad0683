import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { parseJson } from '../../src/base/json.ts'
import { parseStrictJson } from '../../src/base/strict-json.ts'
import { refusal } from '../support/refusal.ts'

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)
const twice = refusal('transaction-malformed', /a member is given twice/)

describe('strict JSON', () => {
  test('reads any JSON without repeated names as JSON.parse does', () => {
    const space = fc.constantFrom(0, 1, 7)
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), space, (value, indent) => {
        const text = JSON.stringify(value, null, indent)
        expect(parseStrictJson(text)).toEqual(JSON.parse(text))
      }),
      { numRuns },
    )
  })

  test('answers nothing for any text that is no JSON', () => {
    const text = fc.oneof(
      fc.string(),
      fc.json().map(json => json.slice(0, -1)),
    )
    fc.assert(
      fc.property(text, given => {
        if (parseJson(given) === undefined) expect(parseStrictJson(given)).toBeUndefined()
      }),
      { numRuns },
    )
  })

  test.each([
    '{"to":1,"to":1}',
    '{"to":1,"x":[{"to":2}],"to":3}',
    '[[{"a":{"to":1,"b":{},"to":2}}]]',
    String.raw`{"to":1,"\u0074o":2}`,
    String.raw`{"\"":1,"\u0022":2}`,
    String.raw`{"\\":1,"\u005c":2}`,
    '{"to" \n\t\r : 1, "to"\r:2}',
    '{"__proto__":1,"__proto__":2}',
    '{"":1,"":2}',
  ])('refuses %s', text => {
    expect(() => parseStrictJson(text)).toThrow(twice)
  })

  test.each([
    '{"to":{"to":{"to":1}}}',
    '[{"to":1},{"to":1}]',
    '{"a":"b","b":"a"}',
    '{"a":["a","a"],"to":"a"}',
    '{"to":1,"To":2}',
    String.raw`{"a":"\"a\":1,","b":"{\"b\":1,\"b\":2}"}`,
    String.raw`{"a\\":1,"a":"\\"}`,
  ])('takes %s', text => {
    expect(parseStrictJson(text)).toEqual(JSON.parse(text))
  })

  test('refuses a name repeated in any object of any JSON', () => {
    const outer = fc.jsonValue({ maxDepth: 3 })
    fc.assert(
      fc.property(fc.string(), outer, outer, fc.nat(40), (name, value, other, depth) => {
        const key = JSON.stringify(name)
        const inner = `{${key}:${JSON.stringify(value)},"${name.length}~":0,${key}:${JSON.stringify(other)}}`
        const text = `${'[0,{"in":'.repeat(depth / 2)}${inner}${'}]'.repeat(depth / 2)}`
        expect(() => parseStrictJson(text)).toThrow(twice)
      }),
      { numRuns },
    )
  })

  test('goes 64 deep and no deeper', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
    expect(parseStrictJson(nested(64))).toBeArray()
    for (const depth of [65, 10_000]) {
      expect(() => parseStrictJson(nested(depth))).toThrow(
        refusal('transaction-malformed', /nested more than 64 deep/),
      )
    }
  })

  test.each([
    ['strings of backslashes', `["${'\\\\'.repeat(500_000)}"]`],
    ['spaces', `{"a"${' '.repeat(1_000_000)}:1}`],
    ['short strings', `[${'"",'.repeat(300_000)}1]`],
    ['members', `{${Array.from({ length: 80_000 }, (_, i) => `"${i}":1`).join()}}`],
  ])('reads a megabyte of %s in a moment', (_, text) => {
    const started = performance.now()
    parseStrictJson(text)
    expect(performance.now() - started).toBeLessThan(1000)
  })
})
