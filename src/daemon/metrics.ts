import { type Family, type Labels, type Sample, writeExposition } from './exposition.ts'
import {
  type CounterName,
  type GaugeName,
  type HistogramName,
  type MetricLabels,
  type MetricName,
  metricTable,
} from './metric-table.ts'

/** Numbers about the daemon's work, for Prometheus. */
export type Metrics = {
  count<N extends CounterName>(name: N, labels: MetricLabels<N>, by?: number): void
  /** A counter too, of which somebody else keeps the sum. */
  set<N extends GaugeName | CounterName>(name: N, labels: MetricLabels<N>, value: number): void
  observe<N extends HistogramName>(name: N, labels: MetricLabels<N>, value: number): void
  /** Forgets a gauge of all labels. */
  clear(name: GaugeName): void
  /** In the text format of Prometheus. */
  write(): string
}

export function createMetrics(): Metrics {
  const series = new Map<MetricName, Map<string, Series>>()
  const seriesOf = (name: MetricName, labels: Labels): Series => {
    const all = series.get(name) ?? new Map<string, Series>()
    series.set(name, all)
    const bounded = boundLabels(name, labels)
    const key = Object.values(bounded).join('/')
    const found = all.get(key) ?? {
      labels: bounded,
      value: 0,
      counts: buckets.map(() => 0),
      sum: 0,
    }
    all.set(key, found)
    return found
  }
  return {
    count(name, labels, by = 1) {
      seriesOf(name, labels).value += by
    },
    set(name, labels, value) {
      seriesOf(name, labels).value = value
    },
    observe(name, labels, value) {
      const found = seriesOf(name, labels)
      found.value++
      found.sum += value
      buckets.forEach((limit, i) => {
        if (value <= limit) found.counts[i] = (found.counts[i] ?? 0) + 1
      })
    },
    clear(name) {
      series.delete(name)
    },
    write: () =>
      writeExposition(
        metricNames.map(name => familyOf(name, [...(series.get(name)?.values() ?? [])])),
      ),
  }
}

const metricNames = Object.keys(metricTable) as readonly MetricName[]

function fullName(name: MetricName): string {
  return `tatum_kms_${name}`
}

type Series = { readonly labels: Labels; value: number; readonly counts: number[]; sum: number }

/** In seconds: an answer of the signer takes milliseconds, a batch up to a second. */
const buckets = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60] as const

/** Whatever came in, what goes out is one of few short words: nobody can make series without end. */
function boundLabels(name: MetricName, labels: Labels): Labels {
  const names: readonly string[] = metricTable[name].labels
  return Object.fromEntries(
    names.map(label => {
      const value = labels[label] ?? ''
      return [label, /^[\w.-]{1,40}$/.test(value) ? value : 'other']
    }),
  )
}

function familyOf(name: MetricName, series: readonly Series[]): Family {
  const { type, help } = metricTable[name]
  const samples = type === 'histogram' ? series.flatMap(bucketSamples) : series.map(plainSample)
  return { name: fullName(name), type, help, samples }
}

function plainSample({ labels, value }: Series): Sample {
  return { labels, value }
}

function bucketSamples({ labels, value, counts, sum }: Series): readonly Sample[] {
  const bucket = (le: string, count: number): Sample => ({
    suffix: '_bucket',
    labels: { ...labels, le },
    value: count,
  })
  return [
    ...buckets.map((limit, i) => bucket(String(limit), counts[i] ?? 0)),
    bucket('+Inf', value),
    { suffix: '_sum', labels, value: sum },
    { suffix: '_count', labels, value },
  ]
}
