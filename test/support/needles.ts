import { base58Checksum, encodeBase58 } from '../../src/base/base58.ts'

/** A secret to look for, by a name that may be printed. */
export type Marked = { readonly name: string; readonly bytes: Uint8Array }

/**
 * 16 bytes of one form of a secret. Forms are cut, because a freed string or number keeps most of
 * its bytes but rarely the first ones.
 */
export type Needle = {
  readonly secret: string
  /** `raw`, `hex in utf16le`, … */
  readonly form: string
  /** Where in its form the piece begins. */
  readonly offset: number
  readonly bytes: Uint8Array
}

export const needleLength = 16

/** Every way a secret is known to be written in memory, in pieces. */
export function needlesOf({ name, bytes }: Marked): readonly Needle[] {
  if (new Set(bytes).size < 8) throw new Error(`${name} is too plain to be told from other bytes`)
  return formsOf(bytes).flatMap(([form, written]) =>
    piecesOf(written).map(offset => ({
      secret: name,
      form,
      offset,
      bytes: written.slice(offset, offset + needleLength),
    })),
  )
}

type Form = readonly [name: string, bytes: Uint8Array]

function formsOf(bytes: Uint8Array): readonly Form[] {
  const hex = Buffer.from(bytes).toString('hex')
  const texts: readonly (readonly [name: string, text: string])[] = [
    ['hex', hex],
    ['HEX', hex.toUpperCase()],
    ['base64', Buffer.from(bytes).toString('base64')],
    ['base58', base58(bytes)],
    ...(bytes.length === 32 ? wifsOf(bytes) : []),
  ]
  return [
    // A password or a mnemonic is text already: its bytes are its UTF-8.
    ['raw', bytes],
    ['raw in utf16le', utf16(bytes)],
    // A BigInt has its lowest limb first.
    ['reversed', bytes.toReversed()],
    ...texts.flatMap(([form, text]): readonly Form[] => [
      [form, Buffer.from(text, 'latin1')],
      [`${form} in utf16le`, Buffer.from(text, 'utf16le')],
    ]),
  ]
}

/** All of the form; the last piece may overlap the one before. */
function piecesOf({ length }: Uint8Array): readonly number[] {
  const offsets = Array.from(
    { length: Math.floor(length / needleLength) },
    (_, i) => i * needleLength,
  )
  if (length % needleLength !== 0 && length > needleLength) offsets.push(length - needleLength)
  return offsets
}

function utf16(bytes: Uint8Array): Uint8Array {
  return Buffer.from(Buffer.from(bytes).toString('latin1'), 'utf16le')
}

function wifsOf(key: Uint8Array): readonly (readonly [name: string, text: string])[] {
  return [0x80, 0xef].flatMap(version =>
    [Uint8Array.of(), Uint8Array.of(1)].map(
      suffix => ['WIF', wifOf(Uint8Array.of(version, ...key, ...suffix))] as const,
    ),
  )
}

function wifOf(payload: Uint8Array): string {
  return base58(Uint8Array.of(...payload, ...base58Checksum(payload)))
}

function base58(bytes: Uint8Array): string {
  const text = new Uint8Array(bytes.length * 2)
  return Buffer.from(text.subarray(0, encodeBase58(bytes, text))).toString('latin1')
}
