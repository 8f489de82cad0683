import { allocateSecret, type Secret } from '../secret/secret.ts'
import { unescapeJson } from './json-escapes.ts'

/** Text stays in locked memory. A wallet has no use for numbers and null: both are undefined. */
export type Scalar = Secret | boolean | undefined

/** Reads JSON (RFC 8259) forward. It knows no depth: whoever uses it asks for what may come. */
export type SecretJsonReader = {
  /** Where the next token is looked for. */
  readonly position: number
  /**
   * The names of the object that begins here, each for the caller to wipe. The value behind a name
   * must be read before the next name is asked for.
   */
  members(): Generator<Secret, void>
  /** The value that begins here; the caller wipes it. An object or an array is malformed. */
  scalar(): Scalar
  /** Checks that nothing but white space is left. */
  end(): void
}

/**
 * Reads JSON whose strings are secrets. No part of it becomes a JavaScript string: that could not be
 * wiped, and an error or a debugger would show it.
 *
 * @param text valid UTF-8, not wiped before the last call
 * @param malformed makes the error for anything else than what was asked for
 */
export function readSecretJson(text: Secret, malformed: () => Error, start = 0): SecretJsonReader {
  const cursor: Cursor = { text, malformed, at: start }
  return {
    get position() {
      return cursor.at
    },
    *members() {
      skip(cursor, openBrace)
      if (skipIf(cursor, closeBrace)) return
      do {
        const name = readString(cursor)
        skip(cursor, colon)
        yield decode(cursor, name)
      } while (skipIf(cursor, comma))
      skip(cursor, closeBrace)
    },
    scalar: () => readScalar(cursor),
    end() {
      if (peek(cursor) !== undefined) throw malformed()
    },
  }
}

type Cursor = { readonly text: Secret; readonly malformed: () => Error; at: number }
/** What stands between the quotes of a string. */
type Span = { readonly start: number; readonly end: number }

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text)
const codeOf = (character: string): number => character.charCodeAt(0)

const quote = codeOf('"')
const backslash = codeOf('\\')
const openBrace = codeOf('{')
const closeBrace = codeOf('}')
const colon = codeOf(':')
const comma = codeOf(',')
const minus = codeOf('-')
const point = codeOf('.')
const zero = codeOf('0')
const nine = codeOf('9')
const spaces = ascii(' \t\n\r')
const signs = ascii('+-')
const exponents = ascii('eE')
const literals = [
  { word: ascii('true'), value: true },
  { word: ascii('false'), value: false },
  { word: ascii('null'), value: undefined },
]

function readScalar(cursor: Cursor): Scalar {
  if (peek(cursor) === quote) return decode(cursor, readString(cursor))
  const literal = cursor.text.use(bytes =>
    literals.find(({ word }) => word.every((letter, i) => bytes[cursor.at + i] === letter)),
  )
  if (literal === undefined) advance(cursor, endOfNumber)
  else cursor.at += literal.word.length
  return literal?.value
}

function readString(cursor: Cursor): Span {
  skip(cursor, quote)
  const start = cursor.at
  advance(cursor, endOfString)
  return { start, end: cursor.at - 1 }
}

function decode({ text, malformed }: Cursor, { start, end }: Span): Secret {
  const decoded = allocateSecret(end - start)
  const length = text.use(from => decoded.use(to => unescapeJson(from.subarray(start, end), to)))
  if (length !== undefined) {
    decoded.shrink(length)
    return decoded
  }
  decoded.wipe()
  throw malformed()
}

function skip(cursor: Cursor, token: number): void {
  if (!skipIf(cursor, token)) throw cursor.malformed()
}

function skipIf(cursor: Cursor, token: number): boolean {
  if (peek(cursor) !== token) return false
  cursor.at++
  return true
}

/** The first byte of the next token; undefined at the end. */
function peek(cursor: Cursor): number | undefined {
  advance(cursor, endOfSpace)
  return cursor.text.use(bytes => bytes[cursor.at])
}

/** Moves to where `find` says; when it finds nothing, the text is malformed. */
function advance(
  cursor: Cursor,
  find: (bytes: Uint8Array, from: number) => number | undefined,
): void {
  const end = cursor.text.use(bytes => find(bytes, cursor.at))
  if (end === undefined) throw cursor.malformed()
  cursor.at = end
}

function endOfSpace(bytes: Uint8Array, from: number): number {
  let at = from
  while (at < bytes.length && spaces.includes(bytes[at] ?? 0)) at++
  return at
}

/** One past the quote that ends the string whose first letter is at `from`. */
function endOfString(bytes: Uint8Array, from: number): number | undefined {
  for (let at = from; at < bytes.length; at++) {
    if (bytes[at] === quote) return at + 1
    if (bytes[at] === backslash) at++
  }
  return undefined
}

/** RFC 8259, section 6. */
function endOfNumber(bytes: Uint8Array, from: number): number | undefined {
  let at = bytes[from] === minus ? from + 1 : from
  const skipDigits = (): boolean => {
    const first = at
    while ((bytes[at] ?? 0) >= zero && (bytes[at] ?? 0) <= nine) at++
    return at > first
  }
  if (bytes[at] === zero) at++
  else if (!skipDigits()) return undefined
  if (bytes[at] === point) {
    at++
    if (!skipDigits()) return undefined
  }
  if (exponents.includes(bytes[at] ?? 0)) {
    at++
    if (signs.includes(bytes[at] ?? 0)) at++
    if (!skipDigits()) return undefined
  }
  return at
}
