import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { KmsError } from '../../src/base/errors.ts'
import { readSecretJson, type Scalar } from '../../src/vault/secret-json-reader.ts'
import { secretOf, textOf } from '../support/original-file.ts'

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)
const malformed = () => new KmsError('vault-damaged', 'malformed')

type Plain = string | boolean | undefined

function plain(value: Scalar): Plain {
  return typeof value === 'object' ? textOf(value) : (value as boolean | undefined)
}

/** What the reader finds in an object of scalars; undefined when it refuses. */
function read(json: string): readonly (readonly [string | undefined, Plain])[] | undefined {
  using text = secretOf(json)
  const reader = readSecretJson(text, malformed)
  const found: (readonly [string | undefined, Plain])[] = []
  try {
    for (using name of reader.members()) found.push([textOf(name), plain(reader.scalar())])
    reader.end()
    return found
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(KmsError)
    return undefined
  }
}

/** What JSON.parse finds; it is asked for objects of scalars only. */
function parsed(json: string): ReturnType<typeof read> {
  const value: unknown = JSON.parse(json)
  return Object.entries(value as object).map(([name, member]) => [
    name,
    typeof member === 'number' || member === null ? undefined : member,
  ])
}

function refuseNested(value: unknown): void {
  const isFlat = typeof value === 'object' && value !== null && !Array.isArray(value)
  if (!isFlat || Object.values(value).some(member => typeof member === 'object' && member)) {
    throw new Error('nested')
  }
}

// RFC 8259 and the cases of github.com/nst/JSONTestSuite that fit an object of scalars.
const accepted = [
  '{}',
  ' \t\r\n{ "a" : "b" , "c" : true }\n',
  '{"":""}',
  '{"a":null,"b":false,"c":true}',
  '{"a":0,"b":-0,"c":-1.5e+10,"d":1E3,"e":10.25e-7,"f":123456789012345678901234567890}',
  String.raw`{"a":"\"\\\/\b\f\n\r\t"}`,
  String.raw`{"a":"\u0061\u00e9\u4e2d\ud83d\udd11\u0000"}`,
  String.raw`{"\u006dnemonic":"x"}`,
  '{"a":"\u007f 密码 🔑"}',
]

const refused = [
  '',
  ' ',
  '{',
  '{"a"',
  '{"a":',
  '{"a":}',
  '{"a":"b"',
  '{"a":"b",}',
  '{,}',
  '{"a" "b"}',
  '{"a":"b" "c":"d"}',
  '{"a":"b"}{',
  '{"a":"b"}x',
  "{'a':'b'}",
  '{a:"b"}',
  '{"a":"b}',
  '{"a":"\n"}',
  '{"a":"\u0000"}',
  '{"a":truth}',
  '{"a":True}',
  '{"a":nul}',
  '{"a":NaN}',
  '{"a":Infinity}',
  '{"a":01}',
  '{"a":-}',
  '{"a":+1}',
  '{"a":.5}',
  '{"a":1.}',
  '{"a":1e}',
  '{"a":0x1}',
  '{"a":1,"b"}',
  '{"a":/**/1}',
  '\ufeff{}',
  String.raw`{"a":"\x"}`,
  String.raw`{"a":"\u12"}`,
  String.raw`{"a":"\u12g4"}`,
  String.raw`{"a":"\U0061"}`,
  '{"a":"\\',
]

/** JSON, but nothing a wallet file may say: nested values, and half of a surrogate pair. */
const unsuitable = [
  '[]',
  '"a"',
  'null',
  '{"a":{}}',
  '{"a":[]}',
  `{"a":${'['.repeat(100_000)}`,
  `{"a":${'{"a":'.repeat(100_000)}`,
  String.raw`{"a":"\ud83d"}`,
  String.raw`{"a":"\udd11\ud83d"}`,
  String.raw`{"a":"\ud83dx"}`,
  String.raw`{"a":"\ud83d\u0061"}`,
]

describe('the reader', () => {
  test.each(accepted)('reads %j', json => expect(read(json)).toEqual(parsed(json)))
  test.each(refused)('refuses %j', json => {
    expect(() => JSON.parse(json)).toThrow()
    expect(read(json)).toBeUndefined()
  })
  test.each(unsuitable.map(json => [json.slice(0, 24), json]))('refuses %j', (_, json) => {
    expect(read(json)).toBeUndefined()
  })

  test('keeps both of two members with one name, and takes __proto__ for a name', () => {
    expect(read('{"__proto__":"a","__proto__":true}')).toEqual([
      ['__proto__', 'a'],
      ['__proto__', true],
    ])
  })

  const scalar = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.boolean(),
    fc.double({ noDefaultInfinity: true, noNaN: true }),
    fc.constant(null),
  )
  const object = fc.array(fc.tuple(fc.string({ unit: 'binary' }), scalar))

  test('finds what JSON.stringify wrote', () => {
    fc.assert(
      fc.property(object, fc.nat(3), (members, indent) => {
        const json = JSON.stringify(Object.fromEntries(members), null, indent)
        expect(new Map(read(json))).toEqual(new Map(parsed(json)))
      }),
      { numRuns },
    )
  })

  test('agrees with JSON.parse about text that was changed in one place', () => {
    fc.assert(
      fc.property(object, fc.nat(), fc.string({ maxLength: 2 }), (members, at, text) => {
        const json = JSON.stringify(Object.fromEntries(members))
        const cut = at % json.length
        const changed = `${json.slice(0, cut)}${text}${json.slice(cut + 1)}`.toWellFormed()
        const found = read(changed)
        if (found !== undefined) expect(new Map(found)).toEqual(new Map(parsed(changed)))
        else expect(() => refuseNested(JSON.parse(changed))).toThrow()
      }),
      { numRuns },
    )
  })
})
