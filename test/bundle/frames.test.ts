import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { KmsError } from '../../src/base/errors.ts'
import { joinFrames, splitIntoFrames } from '../../src/bundle/frames.ts'

const bytesOf = (length: number, start = 0) =>
  Uint8Array.from({ length }, (_, i) => (i * 7 + start) % 256)

describe('frames', () => {
  test('come to the file again, in any order, each scanned once or more often', () => {
    const scanned = fc.uint8Array({ maxLength: 3_000 }).chain(bytes => {
      const frames = splitIntoFrames(bytes)
      const again = fc.subarray([...frames])
      return fc.tuple(
        fc.constant(bytes),
        again.chain(more =>
          fc.shuffledSubarray([...frames, ...more], { minLength: frames.length + more.length }),
        ),
      )
    })
    fc.assert(
      fc.property(scanned, ([bytes, lines]) => {
        expect(joinFrames(lines)).toEqual(bytes)
      }),
    )
  })

  test('fit the alphanumeric mode of a QR code of version 10, level L', () => {
    for (const frame of splitIntoFrames(bytesOf(999_999))) {
      // ISO/IEC 18004, tables 5 and 7.
      expect(frame).toMatch(/^[0-9A-Z $%*+./:-]{1,395}$/)
    }
  })

  test('that are missing are named', () => {
    const frames = splitIntoFrames(bytesOf(1_000))
    expect(frames).toHaveLength(5)
    const lines = frames.filter((_, i) => i !== 1 && i !== 3)
    expect(() => joinFrames(lines)).toThrow('of 5 frames these are missing: 2, 4')
  })

  test('that were scanned badly count as missing, whatever is wrong with them', () => {
    const frames = splitIntoFrames(bytesOf(500))
    fc.assert(
      fc.property(
        fc.nat(frames.length - 1),
        fc.nat(340),
        fc.constantFrom(...'ABCXYZ234567/0'),
        (which, at, letter) => {
          const frame = frames[which] ?? ''
          const place = at % frame.length
          const damaged = frame.slice(0, place) + letter + frame.slice(place + 1)
          if (damaged === frame) return
          const lines = frames.with(which, damaged)
          expect(() => joinFrames(lines)).toThrow(KmsError)
          expect(joinFrames([...lines, frame])).toEqual(bytesOf(500))
        },
      ),
    )
  })

  test('of two files are not mixed', () => {
    const [one, other] = [splitIntoFrames(bytesOf(300)), splitIntoFrames(bytesOf(300, 1))]
    expect(() => joinFrames([...one, ...other])).toThrow('the frames are of more than one file')
  })

  test.each([[''], ['TKMS1/1/999999999/A/B/C'], ['TKMS1/0/0/AAAAAAAAAAAAAAAA/AAAAAAAA/'], ['\0']])(
    'are not what %j is',
    line => {
      expect(() => joinFrames([line])).toThrow('there is no whole frame')
    },
  )
})
