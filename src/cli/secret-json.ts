import { utf8 } from '../base/bytes.ts'
import { encodeJson } from '../base/json.ts'
import { allocateSecret, type Secret } from '../secret/secret.ts'
import type { Terminal } from './terminal.ts'

/** A member of an object that is to be printed; undefined ones are left out. */
export type SecretMember = readonly [name: string, value: string | boolean | Secret | undefined]

/**
 * A JSON object as the original prints it (two spaces), made in locked memory because some members
 * are secret. The caller prints and wipes it.
 *
 * @param indent spaces in front of every line but the first
 */
export function secretJson(members: readonly SecretMember[], indent = 0): Secret {
  const given = members.filter(([, value]) => value !== undefined)
  const margin = ' '.repeat(indent)
  const pieces = given.flatMap(([name, value], i): readonly (string | Secret)[] => {
    const lead = `${i === 0 ? '{' : ','}\n${margin}  ${encodeJson(name)}: `
    if (typeof value === 'object' || typeof value === 'symbol') return [`${lead}"`, value, '"']
    return [lead + encodeJson(value ?? null)]
  })
  return join([...pieces, given.length === 0 ? '{}' : `\n${margin}}`], 'escaped')
}

/** Answers a JSON object that holds secrets, as one line of stdout's own. */
export function answerSecretJson(
  terminal: Pick<Terminal, 'answerSecret'>,
  members: readonly SecretMember[],
): void {
  using json = secretJson(members)
  using line = join([json, '\n'], 'as they are')
  terminal.answerSecret(line)
}

/** Text and secrets one after the other; the secrets as they are, or escaped for a JSON string. */
export function join(
  pieces: readonly (string | Secret)[],
  secrets: 'as they are' | 'escaped',
): Secret {
  const room = pieces.reduce((sum, piece) => sum + roomFor(piece), 0)
  const joined = allocateSecret(Math.max(room, 1))
  const length = joined.use(out => {
    let at = 0
    for (const piece of pieces) {
      if (typeof piece === 'string') {
        const bytes = utf8(piece)
        out.set(bytes, at)
        at += bytes.length
      } else {
        at = piece.use(bytes => copyInto(bytes, out, at, secrets))
      }
    }
    return at
  })
  joined.shrink(length)
  return joined
}

const quote = 0x22
const backslash = 0x5c
const digits = utf8('0123456789abcdef')

function roomFor(piece: string | Secret): number {
  return typeof piece === 'string' ? utf8(piece).length : piece.length * 6
}

function copyInto(
  bytes: Uint8Array,
  out: Uint8Array,
  start: number,
  secrets: 'as they are' | 'escaped',
): number {
  if (secrets === 'escaped') return escapeInto(bytes, out, start)
  out.set(bytes, start)
  return start + bytes.length
}

/** RFC 8259, section 7: quote, backslash and control characters; UTF-8 stays as it is. */
function escapeInto(bytes: Uint8Array, out: Uint8Array, start: number): number {
  let at = start
  for (const byte of bytes) {
    if (byte < 0x20) {
      out.set(utf8('\\u00'), at)
      out[at + 4] = digits[byte >> 4] ?? 0
      out[at + 5] = digits[byte & 15] ?? 0
      at += 6
      continue
    }
    if (byte === quote || byte === backslash) out[at++] = backslash
    out[at++] = byte
  }
  return at
}
