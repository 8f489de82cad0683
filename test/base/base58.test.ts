import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import {
  base58Checksum,
  decodeBase58,
  encodeBase58,
  endsInChecksum,
  xrplAlphabet,
} from '../../src/base/base58.ts'
import { fromHex, hex, utf8 } from '../../src/base/bytes.ts'

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)

/** Bitcoin Core, src/test/data/base58_encode_decode.json */
const vectors: readonly (readonly [bytes: string, text: string])[] = [
  ['', ''],
  ['61', '2g'],
  ['626262', 'a3gV'],
  ['636363', 'aPEr'],
  ['73696d706c792061206c6f6e6720737472696e67', '2cFupjhnEsSn59qHXstmK2ffpLv2'],
  ['00eb15231dfceb60925886b67d065299925915aeb172c06647', '1NS17iag9jJgTHD1VXjvLCEnZuQ3rJDE9L'],
  ['516b6fcd0f', 'ABnLTmg'],
  ['bf4f89001e670274dd', '3SEo3LWLoPntC'],
  ['572e4794', '3EFU7m'],
  ['ecac89cad93923c02321', 'EJDM8drfXA6uyA'],
  ['10c8511e', 'Rt5zm'],
  ['00000000000000000000', '1111111111'],
  [`${'00'.repeat(39)}01`, `${'1'.repeat(39)}2`],
  [
    '000111d38e5fc9071ffcd20b4a763cc9ae4f252bb4e48fd66a835e252ada93ff480d6dd43dc62a641155a5',
    '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz',
  ],
  ['271f359e', 'zzzzy'],
  ['271f359f', 'zzzzz'],
  ['271f35a0', '211111'],
  ['271f35a1', '211112'],
]

describe('base58', () => {
  test.each(vectors)('%s is written %s', (bytes, text) => {
    expect(encoded(fromHex(bytes) ?? new Uint8Array())).toBe(text)
    expect(hex(decoded(text) ?? new Uint8Array(1))).toBe(bytes)
  })

  const zerosFirst = fc
    .tuple(fc.nat(6), fc.uint8Array({ maxLength: 90 }))
    .map(([zeros, rest]) => Uint8Array.of(...new Uint8Array(zeros), ...rest))

  test('is the number in base 58, a 1 for each leading zero byte', () => {
    const check = (bytes: Uint8Array) => {
      const text = encoded(bytes)
      expect(text).toBe(writtenByDefinition(bytes))
      expect(decoded(text, bytes.length)).toEqual(bytes)
    }
    fc.assert(fc.property(zerosFirst, check), { numRuns })
  })

  test('text with a letter outside the alphabet is refused, all other text says something', () => {
    const unit = fc.constantFrom(...Array.from('12abzZ90OIl \0é'))
    const check = (text: string) => {
      const bytes = decoded(text)
      expect(bytes === undefined).toBe(/[^1-9A-HJ-NP-Za-km-z]/.test(text))
      if (bytes !== undefined) expect(encoded(bytes)).toBe(text)
    }
    fc.assert(fc.property(fc.string({ unit, maxLength: 60 }), check), { numRuns })
  })

  test('a value that does not fit is refused, whatever was in the memory before', () => {
    const check = (bytes: Uint8Array, missing: number) => {
      const out: Uint8Array = new Uint8Array(Math.max(bytes.length - missing, 0)).fill(0xff)
      const length = decodeBase58(utf8(writtenByDefinition(bytes)), out)
      expect(length).toBe(missing === 0 || bytes.length === 0 ? bytes.length : undefined)
      if (length !== undefined) expect(out).toEqual(bytes)
    }
    fc.assert(fc.property(zerosFirst, fc.nat(2), check), { numRuns })
  })

  test('the memory to write to may hold old bytes', () => {
    const out = new Uint8Array(60).fill(0xff)
    const length = encodeBase58(fromHex('0000516b6fcd0f') ?? out, out)
    expect(Buffer.from(out.subarray(0, length)).toString()).toBe('11ABnLTmg')
  })

  test('the check sum is the one at the end of an address (of the genesis block)', () => {
    const address = decoded('1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa') ?? new Uint8Array()
    expect(hex(address)).toBe('0062e907b15cbf27d5425399ebf6f0fb50ebb88f18c29b7d93')
    expect(base58Checksum(address.subarray(0, 21))).toEqual(address.subarray(21))
    expect(endsInChecksum(address)).toBe(true)
    for (let i = 0; i < address.length; i++) {
      expect(endsInChecksum(address.with(i, (address[i] ?? 0) ^ 1))).toBe(false)
    }
  })

  test('of the XRP Ledger has the same digits with other letters', () => {
    const check = (bytes: Uint8Array) => {
      const out: Uint8Array = new Uint8Array(200)
      const length = encodeBase58(bytes, out, xrplAlphabet)
      const text = Buffer.from(out.subarray(0, length)).toString()
      expect(text).toBe(translated(encoded(bytes)))
      const read = decodeBase58(utf8(text), out, xrplAlphabet)
      expect(out.subarray(0, read)).toEqual(bytes)
    }
    fc.assert(fc.property(zerosFirst, check), { numRuns })
  })

  // https://xrpl.org/docs/references/protocol/data-types/base58-encodings: the account ACCOUNT_ONE
  test('of the XRP Ledger writes the account whose number is 1', () => {
    const payload = fromHex(`00${'00'.repeat(19)}01`) ?? new Uint8Array()
    const out = new Uint8Array(60)
    const bytes = Buffer.concat([payload, base58Checksum(payload)])
    const text = out.subarray(0, encodeBase58(bytes, out, xrplAlphabet))
    expect(Buffer.from(text).toString()).toBe('rrrrrrrrrrrrrrrrrrrrBZbvji')
  })
})

const bitcoinLetters = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const xrplLetters = 'rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz'

function translated(text: string): string {
  return Array.from(text, letter => xrplLetters[bitcoinLetters.indexOf(letter)]).join('')
}

function encoded(bytes: Uint8Array): string {
  const out = new Uint8Array(Math.ceil(bytes.length * 1.4) + 1)
  return Buffer.from(out.subarray(0, encodeBase58(bytes, out))).toString()
}

function decoded(text: string, room = 400): Uint8Array | undefined {
  const out = new Uint8Array(room)
  const length = decodeBase58(utf8(text), out)
  return length === undefined ? undefined : out.subarray(0, length)
}

function writtenByDefinition(bytes: Uint8Array): string {
  let digits = ''
  for (let rest = BigInt(`0x0${hex(bytes)}`); rest > 0n; rest /= 58n) {
    digits = bitcoinLetters.charAt(Number(rest % 58n)) + digits
  }
  const firstOther = bytes.findIndex(byte => byte !== 0)
  return '1'.repeat(firstOther === -1 ? bytes.length : firstOther) + digits
}
