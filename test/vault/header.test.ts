import { describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { KmsError } from '../../src/base/errors.ts'
import { decodeHeader, encodeHeader, type Header, type Slot } from '../../src/vault/header.ts'
import { recordedFiles, recordedPath } from '../support/original-file.ts'
import { refusal } from '../support/refusal.ts'

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)

const slot: Slot = {
  id: new Uint8Array(16).fill(1),
  createdAt: 1_700_000_000_000,
  label: 'first',
  cost: { log2N: 17, r: 8, p: 1 },
  salt: new Uint8Array(32).fill(2),
  wrapped: new Uint8Array(60).fill(3),
}
const header: Header = {
  vaultId: new Uint8Array(16).fill(4),
  generation: 5n,
  slots: [slot],
  bodyNonce: new Uint8Array(12).fill(6),
  bodyLength: 24,
}
const good = fileOf(header)

/** A whole file as far as the header is concerned. */
function fileOf(of: Header): Uint8Array {
  return Buffer.concat([encodeHeader(of), new Uint8Array(of.bodyLength)])
}

/** What a hostile writer does after a change: the checksum is no secret. */
function withChecksum(file: Uint8Array): Uint8Array {
  const copy = Buffer.from(file)
  const length = copy.readUInt32BE(10)
  copy.set(
    createHash('sha256')
      .update(copy.subarray(0, length - 32))
      .digest(),
    length - 32,
  )
  return copy
}

function changed(at: number, ...bytes: number[]): Uint8Array {
  const copy = Buffer.from(good)
  copy.set(bytes, at)
  return copy
}

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const anySlot: fc.Arbitrary<Slot> = fc.record({
  id: bytes(16),
  createdAt: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
  label: fc
    .string({ unit: 'grapheme', maxLength: 8 })
    .filter(text => Buffer.from(text).length <= 64),
  cost: fc.record({
    log2N: fc.integer({ min: 14, max: 17 }),
    r: fc.integer({ min: 1, max: 64 }),
    p: fc.integer({ min: 1, max: 4 }),
  }),
  salt: fc.uint8Array({ minLength: 16, maxLength: 64 }),
  wrapped: bytes(60),
})
const anyHeader: fc.Arbitrary<Header> = fc.record({
  vaultId: bytes(16),
  generation: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  slots: fc.array(anySlot, { minLength: 1, maxLength: 8 }),
  bodyNonce: bytes(12),
  bodyLength: fc.nat({ max: 100 }),
})

describe('a header', () => {
  test('comes back as it was written', () => {
    fc.assert(
      fc.property(anyHeader, written => {
        const file = fileOf(written)
        const read = decodeHeader(file)
        expect(read.length).toBe(file.length - written.bodyLength)
        expect(encodeHeader(read.header)).toEqual(encodeHeader(written))
        expect(read.header.generation).toBe(written.generation)
        expect(read.header.slots.map(({ label }) => label)).toEqual(
          written.slots.map(({ label }) => label),
        )
      }),
      { numRuns },
    )
  })

  // docs/format.md, section 1 and 1.1
  test('has its fields where the format says', () => {
    const file = Buffer.from(good)
    expect(file.toString('latin1', 0, 8)).toBe('tatumkms')
    expect(file.readUInt16BE(8)).toBe(1)
    expect(file.readUInt32BE(10)).toBe(file.length - 24)
    expect(file.subarray(14, 30)).toEqual(Buffer.alloc(16, 4))
    expect(file.readBigUInt64BE(30)).toBe(5n)
    expect(file[38]).toBe(1)
    expect(file.subarray(39, 55)).toEqual(Buffer.alloc(16, 1))
    expect(file.readBigUInt64BE(55)).toBe(1_700_000_000_000n)
    expect(file.toString('latin1', 63, 69)).toBe('\x05first')
    expect([...file.subarray(69, 79)]).toEqual([1, 17, 0, 0, 0, 8, 0, 0, 0, 1])
    expect(file.subarray(79, 112)).toEqual(Buffer.concat([Buffer.of(32), Buffer.alloc(32, 2)]))
    expect(file.subarray(112, 172)).toEqual(Buffer.alloc(60, 3))
    expect(file.subarray(172, 184)).toEqual(Buffer.alloc(12, 6))
    expect(file.readBigUInt64BE(184)).toBe(24n)
    expect(file.toString('hex', 192, 224)).toBe(
      createHash('sha256').update(file.subarray(0, 192)).digest('hex'),
    )
    expect(file.length).toBe(224 + 24)
  })

  test('is refused with any bit of it flipped', () => {
    const { length } = decodeHeader(good)
    for (let bit = 0; bit < length * 8; bit++) {
      const file = changed(bit >> 3, (good[bit >> 3] ?? 0) ^ (1 << (bit & 7)))
      expect(() => decodeHeader(file)).toThrow(refusal('vault-damaged'))
    }
  })

  test('is refused when the file ends anywhere', () => {
    for (let length = 0; length < good.length; length++) {
      expect(() => decodeHeader(good.subarray(0, length))).toThrow(refusal('vault-damaged'))
    }
  })

  test('is read or refused, never a crash, whatever its bytes under a right checksum are', () => {
    const length = good.length - 24
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 14, max: length - 33 }), fc.nat({ max: 255 })), {
          minLength: 1,
          maxLength: 4,
        }),
        changes => {
          const file = Buffer.from(good)
          for (const [at, byte] of changes) file[at] = byte
          try {
            const read = decodeHeader(withChecksum(file))
            expect(fileOf(read.header)).toEqual(withChecksum(file))
          } catch (fault) {
            expect(fault).toBeInstanceOf(KmsError)
            expect(fault).toEqual(refusal('vault-damaged'))
          }
        },
      ),
      { numRuns: numRuns * 10 },
    )
  })

  test('is refused for random bytes behind a right magic and version', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), tail => {
        const file = Buffer.concat([good.subarray(0, 10), tail])
        expect(() => decodeHeader(file)).toThrow(refusal('vault-damaged'))
      }),
      { numRuns },
    )
  })
})

const withSlot = (change: Partial<Slot>) => fileOf({ ...header, slots: [{ ...slot, ...change }] })
const cost = (log2N: number, r: number, p: number) => withSlot({ cost: { log2N, r, p } })
const refused: readonly (readonly [string, Uint8Array, RegExp])[] = [
  ['an empty file', new Uint8Array(), /the file is empty/],
  ['another magic', withChecksum(changed(0, 0x54)), /does not begin like a vault/],
  ['a newer version', withChecksum(changed(8, 0, 2)), /format version 2/],
  ['version 0', withChecksum(changed(8, 0, 0)), /format version 0/],
  ['a length that ends before the checksum', changed(10, 0, 0, 0, 0), /ends too early/],
  ['a length that swallows its fields', changed(10, 0, 0, 0, 46), /does not match its checksum/],
  ['a byte behind the body', Buffer.concat([good, Buffer.of(0)]), /its length is wrong/],
  ['a body length past any file', withChecksum(changed(184, 255, 255)), /its length is wrong/],
  ['no slot', fileOf({ ...header, slots: [] }), /0 password slots/],
  ['nine slots', fileOf({ ...header, slots: Array(9).fill(slot) }), /9 password slots/],
  ['more slots than there are', withChecksum(changed(38, 2)), /./],
  ['a slot too many', withChecksum(withSlotCount(1, [slot, slot])), /the header is too long/],
  ['a label of 65 bytes', withSlot({ label: 'x'.repeat(65) }), /label is too long/],
  ['a label that is not UTF-8', withChecksum(changed(64, 0xff)), /not UTF-8/],
  ['a date past any other', withChecksum(changed(55, 255)), /impossible date/],
  ['an unknown key derivation', withChecksum(changed(69, 2)), /unknown key derivation/],
  ['log2 N of 13', cost(13, 8, 1), /outside the limits/],
  ['log2 N of 25', cost(25, 1, 1), /outside the limits/],
  ['log2 N of 255', cost(255, 1, 1), /outside the limits/],
  ['r of 0', cost(14, 0, 1), /outside the limits/],
  ['r of 65', cost(14, 65, 1), /outside the limits/],
  ['r of 2^32-1', cost(14, 0xffffffff, 1), /outside the limits/],
  ['p of 0', cost(14, 8, 0), /outside the limits/],
  ['p of 5', cost(14, 8, 5), /outside the limits/],
  ['twice a gibibyte', cost(21, 8, 1), /outside the limits/],
  [
    'a bad second slot',
    fileOf({ ...header, slots: [slot, { ...slot, cost: { log2N: 24, r: 64, p: 4 } }] }),
    /outside the limits/,
  ],
  ['no salt', withSlot({ salt: new Uint8Array() }), /salt of the wrong length/],
  ['a salt of 15 bytes', withSlot({ salt: new Uint8Array(15) }), /salt of the wrong length/],
  ['a salt of 65 bytes', withSlot({ salt: new Uint8Array(65) }), /salt of the wrong length/],
]

/** Says `count` slots and has others. */
function withSlotCount(count: number, slots: readonly Slot[]): Uint8Array {
  const file = Buffer.from(fileOf({ ...header, slots }))
  file[38] = count
  return file
}

describe('a header is refused with', () => {
  test.each(refused)('%s', (_, file, message) => {
    expect(() => decodeHeader(file)).toThrow(refusal('vault-damaged', message))
  })

  test.each([
    ['one gibibyte', cost(20, 8, 1)],
    ['the largest cost', cost(17, 64, 4)],
    ['log2 N of 23 with r of 1', cost(23, 1, 1)],
    ['a salt of 16 bytes', withSlot({ salt: new Uint8Array(16) })],
    ['a salt of 64 bytes', withSlot({ salt: new Uint8Array(64) })],
    ['eight slots', fileOf({ ...header, slots: Array(8).fill(slot) })],
  ])('more than %s, not with that', (_, file) => {
    expect(() => decodeHeader(file)).not.toThrow()
  })
})

test.each(recordedFiles.map(({ file }) => file))(
  'the wallet file %s of the original is recognised',
  name => {
    const file = readFileSync(recordedPath(name))
    expect(() => decodeHeader(file)).toThrow(refusal('vault-damaged', /of the original tatum-kms/))
    expect(() => decodeHeader(file)).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('tatum-kms migrate') }),
    )
  },
)
