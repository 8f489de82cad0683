/** The only place that turns TOML text into values. What comes out is `unknown`. */

export type ParsedToml =
  | { readonly value: unknown }
  /** Up to which line it was TOML; undefined where that would take long to find out. */
  | { readonly goodLines: number | undefined }

/** Never says what the text was. */
export function parseToml(text: string): ParsedToml {
  try {
    return { value: Bun.TOML.parse(text) }
  } catch {
    return { goodLines: goodLinesOf(text) }
  }
}

/** Each try reads all lines before the one in question. */
const mostLines = 2_000

/** The parser does not tell where it stopped: the most lines that are TOML by themselves. */
function goodLinesOf(text: string): number | undefined {
  const lines = text.split('\n')
  if (lines.length > mostLines) return undefined
  for (let count = lines.length - 1; count > 0; count--) {
    if (isToml(lines.slice(0, count).join('\n'))) return count
  }
  return 0
}

function isToml(text: string): boolean {
  try {
    Bun.TOML.parse(text)
    return true
  } catch {
    return false
  }
}
