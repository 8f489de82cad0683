/** Texts of transactions that differ from `text` in one place: in one leaf of JSON, or in one byte. */
export function* variantsOf(text: string): Generator<string> {
  const json = parse(text)
  if (json === undefined) yield* flippedBytes(text)
  else for (const tree of changedLeaves(json)) yield JSON.stringify(tree)
}

function* changedLeaves(value: unknown): Generator<unknown> {
  if (typeof value === 'number') yield value + 1
  if (typeof value === 'string') yield* changedTexts(value)
  if (typeof value !== 'object' || value === null) return
  for (const [name, member] of Object.entries(value)) {
    for (const changed of changedLeaves(member)) {
      if (Array.isArray(value)) yield value.with(Number(name), changed)
      else yield { ...value, [name]: changed }
    }
  }
}

/** One less, or another last digit: it may be an amount of whole coins, or hex. */
function* changedTexts(text: string): Generator<string> {
  if (/^[1-9]\d*$/.test(text)) yield `${BigInt(text) - 1n}`
  const last = text.at(-1) ?? ''
  if (/[0-8]/.test(last)) yield `${text.slice(0, -1)}${Number(last) + 1}`
  if (last === '9') yield `${text.slice(0, -1)}8`
}

/** Of base64, or of hex with whatever follows a colon. */
function* flippedBytes(text: string): Generator<string> {
  const [, digits, rest = ''] = /^([0-9a-f]+)(:.*)?$/.exec(text) ?? []
  const form = digits === undefined ? 'base64' : 'hex'
  const bytes = Buffer.from(digits ?? text, form)
  for (let at = 0; at < bytes.length; at++) {
    const flipped = Buffer.from(bytes.map((byte, i) => (i === at ? byte ^ 1 : byte)))
    yield flipped.toString(form) + rest
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
