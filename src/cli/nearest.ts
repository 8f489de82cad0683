/** The name that was probably meant: one that begins like it, or is two letters away at most. */
export function nearest(typed: string, names: readonly string[]): string | undefined {
  if (typed.length < 2 || typed.length > 40) return undefined
  const alike = names.find(name => name.startsWith(typed) || typed.startsWith(name))
  return alike ?? names.find(name => distance(typed, name) <= 2)
}

/** Levenshtein: how many letters to add, remove or change. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (const [line, letter] of [...from].entries()) {
    const next = [line + 1]
    for (const [column, other] of [...to].entries()) {
      const changed = at(row, column) + (letter === other ? 0 : 1)
      next.push(Math.min(changed, at(row, column + 1) + 1, at(next, column) + 1))
    }
    row = next
  }
  return at(row, to.length)
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY
}
