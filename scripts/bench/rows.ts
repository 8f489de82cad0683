/** A figure beside its limit, both of one run, so that what a busy machine adds falls on both. */
export type Row = {
  readonly name: string
  readonly figure: number
  readonly unit: string
  /** What the figure is measured against: how fast the cryptography alone is, or a fixed bound. */
  readonly limit: number
  readonly limitName: string
  /** The figure is to stay below its limit, or to reach it. */
  readonly wanted: 'at most' | 'at least'
}

function isReached({ figure, limit, wanted }: Row): boolean {
  return wanted === 'at most' ? figure <= limit : figure >= limit
}

export function printRows(rows: readonly Row[]): void {
  console.log(`| row | measured | target | |\n|---|---|---|---|`)
  for (const row of rows) {
    const { name, figure, unit, limit, limitName, wanted } = row
    const target = `${wanted} ${shown(limit)} ${unit} (${limitName})`
    console.log(
      `| ${name} | ${shown(figure)} ${unit} | ${target} | ${isReached(row) ? 'yes' : 'no'} |`,
    )
  }
}

/** Three digits say all that such a measurement can. */
export function shown(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en-US')
  return value.toPrecision(value < 1 ? 2 : 3)
}
