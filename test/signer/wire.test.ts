import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { KmsError } from '../../src/base/errors.ts'
import type { Json } from '../../src/base/json.ts'
import { createFrameReader, encodeFrame } from '../../src/signer/wire.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

const number = fc.nat(Number.MAX_SAFE_INTEGER)
const frames = fc.array(fc.tuple(number, fc.jsonValue()), { maxLength: 8 })
const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 })

describe('frames', () => {
  test('come out as they went in, wherever the stream is cut', () => {
    fc.assert(
      fc.property(frames, sizes, (sent, cuts) => {
        const stream = Buffer.concat(sent.map(([n, body]) => encodeFrame(n, body as Json)))
        // JSON has no -0, which fast-check likes.
        const plain = sent.map(([n, body]) => [n, JSON.parse(JSON.stringify(body))] as const)
        expect(readAll(pieces(stream, cuts))).toEqual(plain)
      }),
    )
  })

  test('many of them may come in one chunk', () => {
    const sent = Array.from({ length: 1000 }, (_, n) => encodeFrame(n, { n }))
    expect(readAll([Buffer.concat(sent)])).toHaveLength(1000)
  })

  test('a large one in small chunks is joined once, not once per chunk', () => {
    const large = encodeFrame(1, 'x'.repeat(16 * 2 ** 20))
    const started = performance.now()
    const [frame] = readAll(pieces(large, [4096]))
    expect(String(frame?.[1])).toHaveLength(16 * 2 ** 20)
    expect(performance.now() - started).toBeLessThan(2000)
  })

  test('the reader keeps its own copy of what it is given', () => {
    const chunk = Buffer.from(encodeFrame(7, 'body'))
    const got: unknown[] = []
    const read = createFrameReader((_, body) => got.push(body))
    const first = Buffer.from(chunk.subarray(0, 9))
    read(first)
    first.fill(0)
    read(chunk.subarray(9))
    expect(got).toEqual(['body'])
  })

  test('the length is big-endian and counts bytes, not characters', () => {
    expect(Buffer.from(encodeFrame(1, 'é')).toString('latin1')).toBe(
      `\0\0\0\x13${Buffer.from('{"n":1,"body":"é"}').toString('latin1')}`,
    )
  })
})

describe('what is not a frame ends the pipe', () => {
  test('a length above 64 MiB, before its bytes are waited for', () => {
    expect(broken(header(64 * 2 ** 20 + 1))).toThrow('too large')
    expect(broken(header(0xffff_ffff))).toThrow('too large')
    expect(broken(header(64 * 2 ** 20))).not.toThrow()
  })

  test('a body that is too large is never sent', () => {
    expect(() => encodeFrame(1, 'x'.repeat(64 * 2 ** 20))).toThrow(KmsError)
  })

  test.each([
    '',
    'x',
    'null',
    '[]',
    '"n"',
    '{}',
    '{"n":1}',
    '{"body":1}',
    '{"n":-1,"body":1}',
    '{"n":0.5,"body":1}',
    '{"n":1e99,"body":1}',
    '{"n":"1","body":1}',
    '{"n":null,"body":1}',
    '{"__proto__":{"n":1,"body":1}}',
    '{"n":1,"body":1',
  ])('%j', text => {
    expect(broken(frameOf(text))).toThrow(KmsError)
  })

  test('whatever the bytes are, the answer is a frame, a fault or a wait', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 })), chunks => {
        refuseOtherThanKmsErrors(() => readAll(chunks.map(chunk => Buffer.from(chunk))))
      }),
    )
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), text => {
        refuseOtherThanKmsErrors(() => readAll([frameOf(text)]))
      }),
    )
  })
})

function readAll(chunks: readonly Uint8Array[]): readonly (readonly [number, unknown])[] {
  const got: [number, unknown][] = []
  const read = createFrameReader((n, body) => got.push([n, body]))
  for (const chunk of chunks) read(chunk)
  return got
}

/** Cuts into pieces of these sizes, over and over. */
function* cut(bytes: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? 1
    yield bytes.subarray(at, at + size)
    at += size
  }
}

function pieces(bytes: Uint8Array, sizes: readonly number[]): readonly Uint8Array[] {
  return [...cut(bytes, sizes)]
}

function header(length: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(length)
  return bytes
}

function frameOf(text: string): Buffer {
  const body = Buffer.from(text)
  return Buffer.concat([header(body.length), body])
}

function broken(bytes: Uint8Array): () => unknown {
  return () => readAll([bytes])
}

function refuseOtherThanKmsErrors(work: () => unknown): void {
  try {
    work()
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(KmsError)
  }
}
