import { KmsError } from './errors.ts'
import { parseJson } from './json.ts'

/** No transaction nests deeper; the stack of open objects stays small whatever comes. */
const maxDepth = 64

/**
 * As `parseJson`, for the text of a transaction, which an approver's program reads too: where a name
 * stands twice in an object, RFC 8259 lets readers differ about which one counts. It is refused.
 */
export function parseStrictJson(text: string): unknown {
  const value = parseJson(text)
  if (value !== undefined) refuseRepeatedNames(text)
  return value
}

/** `text` is JSON, so that outside of strings every bracket is one. */
function refuseRepeatedNames(text: string): void {
  /** The names seen in each object that is open, nothing for a list. */
  const open: (Set<string> | undefined)[] = []
  for (let at = 0; at < text.length; at++) {
    switch (text[at]) {
      case '{':
      case '[':
        open.push(text[at] === '{' ? new Set() : undefined)
        if (open.length > maxDepth) throw malformed(`it is nested more than ${maxDepth} deep`)
        break
      case '}':
      case ']':
        open.pop()
        break
      case '"': {
        const end = endOfString(text, at)
        if (isName(text, end)) addName(open.at(-1), text.slice(at, end))
        at = end - 1
      }
    }
  }
}

function addName(names: Set<string> | undefined, literal: string): void {
  // Parsed: "a" and "\u0061" are the same name.
  const name = String(parseJson(literal))
  if (names?.has(name)) throw malformed('a member is given twice')
  names?.add(name)
}

/** Where the string that begins at `start` is over. */
function endOfString(text: string, start: number): number {
  let at = start + 1
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at + 1
}

/** In JSON a colon follows names only. */
function isName(text: string, end: number): boolean {
  let at = end
  while (at < text.length && ' \t\n\r'.includes(text.charAt(at))) at++
  return text[at] === ':'
}

function malformed(reason: string): KmsError {
  return new KmsError('transaction-malformed', `transaction is malformed: ${reason}`)
}
