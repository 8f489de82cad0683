import { KmsError } from '../base/errors.ts'
import { encodeJson, type Json, parseJson } from '../base/json.ts'

/** One frame holds a batch of pending transactions of up to 1 MB each; more is a fault. */
const maxFrameLength = 64 * 2 ** 20

/**
 * A frame of the pipe between front and signer: u32 length (big-endian), then that many bytes of
 * JSON, `{n, body}`. Every frame is numbered; an answer carries the number of its question, a notice
 * 0. docs/design.md lists the messages.
 */
export function encodeFrame(n: number, body: Json): Uint8Array {
  const json = Buffer.from(encodeJson({ n, body }), 'utf8')
  if (json.length > maxFrameLength) throw new KmsError('unexpected', 'a frame is too large')
  const frame = Buffer.allocUnsafe(4 + json.length)
  frame.writeUInt32BE(json.length)
  json.copy(frame, 4)
  return frame
}

/** Cuts a byte stream into frames. Anything that is not one throws: the other side is broken. */
export function createFrameReader(
  onFrame: (n: number, body: unknown, length: number) => void,
): (chunk: Uint8Array) => void {
  let pending: Buffer[] = []
  let held = 0
  return chunk => {
    pending.push(Buffer.from(chunk))
    held += chunk.length
    while (held >= 4) {
      const head = joined()
      const length = head.readUInt32BE()
      if (length > maxFrameLength) throw brokenPipe('a frame is too large')
      if (held < 4 + length) return
      const frame = decodeFrame(head.subarray(4, 4 + length).toString('utf8'))
      pending = [head.subarray(4 + length)]
      held -= 4 + length
      onFrame(frame.n, frame.body, length)
    }
  }

  /** Joins chunks only once per frame: a large frame must not cost a copy per chunk. */
  function joined(): Buffer {
    const first = pending[0]
    if (pending.length === 1 && first !== undefined) return first
    const needed = pending.length > 0 && first && first.length >= 4 ? first.readUInt32BE() + 4 : 0
    if (first !== undefined && needed > held) return first
    const whole = Buffer.concat(pending)
    pending = [whole]
    return whole
  }
}

function decodeFrame(text: string): { n: number; body: unknown } {
  const value = parseJson(text)
  if (typeof value !== 'object' || value === null || !('n' in value) || !('body' in value)) {
    throw brokenPipe('a frame is malformed')
  }
  const { n, body } = value
  if (typeof n !== 'number' || !Number.isSafeInteger(n) || n < 0) {
    throw brokenPipe('a frame has no number')
  }
  return { n, body }
}

function brokenPipe(what: string): KmsError {
  return new KmsError('unexpected', `the pipe between front and signer is broken: ${what}`)
}
