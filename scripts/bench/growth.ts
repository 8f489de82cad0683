import { shown } from './rows.ts'

/** How a cost grows with the size of what it is paid for. */
export type Growth = {
  readonly name: string
  readonly unit: string
  readonly points: readonly { readonly size: number; readonly cost: number }[]
}

/**
 * The exponent of `cost ~ size^exponent`: the slope of the line through the logarithms, by least
 * squares. What is paid once, whatever the size, makes it smaller.
 */
export function exponentOf({ points }: Growth): number {
  const xs = points.map(({ size }) => Math.log(size))
  const ys = points.map(({ cost }) => Math.log(cost))
  const [x, y] = [mean(xs), mean(ys)]
  const up = xs.reduce((sum, at, i) => sum + (at - x) * ((ys[i] ?? 0) - y), 0)
  return up / xs.reduce((sum, at) => sum + (at - x) ** 2, 0)
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

export function printGrowth(all: readonly Growth[]): void {
  console.log('| what | cost by size | exponent |\n|---|---|---|')
  for (const growth of all) {
    const { name, unit, points } = growth
    const costs = points.map(
      ({ size, cost }) => `${size.toLocaleString('en-US')}: ${shown(cost)} ${unit}`,
    )
    console.log(`| ${name} | ${costs.join(', ')} | ${exponentOf(growth).toFixed(2)} |`)
  }
}
