import { createHash } from 'node:crypto'
import { base32Text, decodeBase32 } from '../base/base32.ts'
import { concat, concatAll, utf8 } from '../base/bytes.ts'
import { KmsError } from '../base/errors.ts'
import { maxBundleBytes } from './format.ts'

/**
 * A file as lines that each fit a QR code: `TKMS1/NUMBER/COUNT/FILE/CHECK/DATA`. FILE is the same in
 * all of them, the start of the file's SHA-256; CHECK is that of this frame; DATA is base32. Only
 * characters of the alphanumeric mode (ISO/IEC 18004, table 5), which is denser than bytes.
 */
export function splitIntoFrames(bytes: Uint8Array): readonly string[] {
  const count = Math.max(1, Math.ceil(bytes.length / bytesPerFrame))
  const file = digestText(bytes, fileDigestLength)
  return Array.from({ length: count }, (_, i) => {
    const data = bytes.subarray(i * bytesPerFrame, (i + 1) * bytesPerFrame)
    const head = `TKMS1/${i + 1}/${count}/${file}`
    return `${head}/${checkOf(head, data)}/${base32Text(data)}`
  })
}

/** What the frames of one file in `lines` come to, in any order and however often each was scanned. */
export function joinFrames(lines: readonly string[]): Uint8Array {
  const [set, ...others] = setsOf(lines.map(readFrame).filter(frame => frame !== undefined))
  if (set === undefined) throw refused('there is no whole frame of a bundle in what was scanned')
  if (others.length > 0) throw refused('the frames are of more than one file')
  const missing = missingFrom(set)
  if (missing.length > 0) {
    const named = missing.slice(0, 20).join(', ')
    const more = missing.length > 20 ? ` and ${missing.length - 20} more` : ''
    throw refused(`of ${set.count} frames these are missing: ${named}${more}`, 'scan them as well')
  }
  const ordered = [...set.parts].sort(([a], [b]) => a - b)
  const bytes = concatAll(ordered.map(([, data]) => data))
  if (digestText(bytes, fileDigestLength) === set.file) return bytes
  throw refused('the frames do not come to the file that they are of')
}

/** 360 characters with all that stands before it: version 10 of a QR code, 57 modules wide. */
const bytesPerFrame = 200
const fileDigestLength = 10
const checkLength = 5

type Frame = {
  readonly number: number
  readonly count: number
  readonly file: string
  readonly data: Uint8Array
}

/** Undefined for a line that is none, or was not scanned as it was shown. */
function readFrame(line: string): Frame | undefined {
  const match =
    /^(TKMS1\/(\d{1,6})\/(\d{1,6})\/([A-Z2-7]{16}))\/([A-Z2-7]{8})\/([A-Z2-7]{0,320})$/.exec(
      line.trim(),
    )
  const [, head = '', numberText, countText, file = '', check, text = ''] = match ?? []
  if (match === null) return undefined
  const data = new Uint8Array(bytesPerFrame)
  const length = decodeBase32(utf8(text), data)
  const [number, count] = [Number(numberText), Number(countText)]
  if (length === undefined || number < 1 || number > count || count > maxFrames) return undefined
  const bytes = data.subarray(0, length)
  return check === checkOf(head, bytes) ? { number, count, file, data: bytes } : undefined
}

const maxFrames = Math.ceil(maxBundleBytes / bytesPerFrame)

type FrameSet = Pick<Frame, 'count' | 'file'> & { readonly parts: Map<number, Uint8Array> }

function setsOf(frames: readonly Frame[]): readonly FrameSet[] {
  const sets = new Map<string, FrameSet>()
  for (const { number, count, file, data } of frames) {
    const name = `${file}/${count}`
    const set = sets.get(name) ?? { count, file, parts: new Map() }
    sets.set(name, set)
    set.parts.set(number, data)
  }
  return [...sets.values()]
}

function missingFrom({ count, parts }: FrameSet): readonly number[] {
  return Array.from({ length: count }, (_, i) => i + 1).filter(number => !parts.has(number))
}

function checkOf(head: string, data: Uint8Array): string {
  return digestText(concat(utf8(head), data), checkLength)
}

function digestText(bytes: Uint8Array, length: number): string {
  return base32Text(createHash('sha256').update(bytes).digest().subarray(0, length))
}

function refused(message: string, hint?: string): KmsError {
  return new KmsError('usage', message, hint === undefined ? {} : { hint })
}
