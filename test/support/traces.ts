import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A secret by name, as bytes: what must be found nowhere. */
export type Marked = Readonly<Record<string, string | Uint8Array>>

/** So many bytes in a row are no coincidence. */
const window = 12

/** Which parts of which secrets are in `bytes`: as they are, in hex, base64 or UTF-16. */
export function tracesIn(bytes: Uint8Array | string, marked: Marked): readonly string[] {
  const haystack = Buffer.from(bytes)
  return Object.entries(marked).flatMap(([name, secret]) =>
    [...needlesOf(Buffer.from(secret))]
      .filter(([, needle]) => haystack.includes(needle))
      .map(([form]) => `${name} ${form}`),
  )
}

/** The same for every file below `folder`, their names included. */
export function tracesBelow(folder: string, marked: Marked): readonly string[] {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
  return names.flatMap(entry => {
    const path = join(entry.parentPath, entry.name)
    const contents = entry.isFile() ? readFileSync(path) : ''
    return [...tracesIn(path, marked), ...tracesIn(contents, marked)].map(
      trace => `${path}: ${trace}`,
    )
  })
}

function* needlesOf(secret: Buffer): Generator<readonly [form: string, needle: Buffer]> {
  if (secret.length < window) throw new Error('a secret of this length is found by chance')
  for (let at = 0; at + window <= secret.length; at++) {
    const part = secret.subarray(at, at + window)
    yield [`from byte ${at}`, part]
    yield [`from byte ${at} reversed`, Buffer.from(part.toReversed())]
    yield [`from byte ${at} in hex`, Buffer.from(part.toString('hex'))]
    yield [`from byte ${at} in HEX`, Buffer.from(part.toString('hex').toUpperCase())]
    yield [`from byte ${at} in UTF-16`, Buffer.from(part.toString('latin1'), 'utf16le')]
    for (const text of base64Of(part)) yield [`from byte ${at} in base64`, Buffer.from(text)]
  }
}

/** In the middle of longer bytes: each of the three ways to fall on base64's groups of three. */
function* base64Of(part: Buffer): Generator<string> {
  for (const before of [0, 1, 2]) {
    const whole = Buffer.concat([Buffer.alloc(before), part])
    for (const form of ['base64', 'base64url'] as const) {
      const from = Math.ceil((8 * before) / 6)
      const to = Math.floor((8 * whole.length) / 6)
      yield whole.toString(form).slice(from, to)
    }
  }
}
