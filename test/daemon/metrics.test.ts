import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { events } from '../../src/daemon/events.ts'
import { writeExposition } from '../../src/daemon/exposition.ts'
import { metricTable } from '../../src/daemon/metric-table.ts'
import { createMetrics } from '../../src/daemon/metrics.ts'
import { whatIsMissing } from '../../src/daemon/metrics-server.ts'
import { createObserver } from '../../src/daemon/observer.ts'

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)
const operations = readFileSync(join(import.meta.dir, '../../docs/operations.md'), 'utf8')

/** Rows of the table under a heading, as their cells. */
function rowsUnder(heading: string): readonly (readonly string[])[] {
  const [, text = ''] = operations.split(`\n### ${heading}\n`)
  const [section = ''] = text.split('\n### ')
  return [...section.matchAll(/^\| `([^`/]+)` \| (.*) \|$/gm)].map(([, name = '', rest = '']) => [
    name,
    ...rest.split('|').map(cell => cell.trim()),
  ])
}

function list(cell = ''): readonly string[] {
  return cell === '' ? [] : cell.split(', ')
}

describe('docs/operations.md', () => {
  test('tells of each log event, its level and its fields', () => {
    const told = rowsUnder('Log events').map(([name = '', level, fields]) => [
      name,
      { level, fields: list(fields) },
    ])
    expect(Object.fromEntries(told)).toEqual(structuredClone(events))
    expect(told).toHaveLength(Object.keys(events).length)
  })

  test('tells of each metric, its type and its labels', () => {
    const told = rowsUnder('Metrics').map(([name = '', type, labels]) => [
      name,
      { type, labels: list(labels) },
    ])
    const known = Object.entries(metricTable).map(([name, { type, labels }]) => [
      name,
      { type, labels },
    ])
    expect(told).toEqual(structuredClone(known))
  })
})

/** The grammar of the text format: https://prometheus.io/docs/instrumenting/exposition_formats. */
const line =
  /^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{([a-z]+="([^"\\\n]|\\[\\"n])*"(,|(?=\})))+\})? ([+-]Inf|NaN|[-+.e\d]+))$/

describe('the text for Prometheus', () => {
  test('is as the format has it', () => {
    const text = writeExposition([
      {
        name: 'a_total',
        type: 'counter',
        help: 'one\\two\nthree',
        samples: [
          { labels: {}, value: 1 },
          { labels: { path: 'C:\\x\n"y"', z: '' }, value: Number.POSITIVE_INFINITY },
        ],
      },
    ])
    expect(text).toBe(
      '# HELP a_total one\\\\two\\nthree\n# TYPE a_total counter\na_total 1\n' +
        'a_total{path="C:\\\\x\\n\\"y\\"",z=""} +Inf\n',
    )
  })

  test('has one family per metric, each line of it well-formed, whatever the labels are', () => {
    const property = fc.property(fc.string(), fc.string(), fc.double(), (chain, outcome, value) => {
      const metrics = createMetrics()
      metrics.count('payments_total', { chain, outcome })
      metrics.set('vault_generation', {}, value)
      metrics.observe('signer_seconds', { question: chain }, Math.abs(value))
      const lines = metrics.write().trimEnd().split('\n')
      expect(lines.filter(each => !line.test(each))).toEqual([])
      expect(lines.filter(each => each.startsWith('# TYPE'))).toHaveLength(
        Object.keys(metricTable).length,
      )
    })
    fc.assert(property, { numRuns })
  })

  test('says every name once, under tatum_kms_', () => {
    const names = [
      ...createMetrics()
        .write()
        .matchAll(/^# TYPE (\S+)/gm),
    ].map(([, name]) => name)
    expect(names).toEqual(Object.keys(metricTable).map(name => `tatum_kms_${name}`))
  })
})

describe('metrics', () => {
  test('count up, are set, and are forgotten', () => {
    const metrics = createMetrics()
    metrics.count('polls_total', { chain: 'BTC', outcome: 'ok' })
    metrics.count('polls_total', { chain: 'BTC', outcome: 'ok' }, 2)
    metrics.set('reports_pending', { chain: 'BTC' }, 5)
    expect(metrics.write()).toContain('\ntatum_kms_polls_total{chain="BTC",outcome="ok"} 3\n')
    expect(metrics.write()).toContain('\ntatum_kms_reports_pending{chain="BTC"} 5\n')
    metrics.clear('reports_pending')
    expect(metrics.write()).not.toContain('tatum_kms_reports_pending{')
  })

  test('put what is observed into the buckets that it fits', () => {
    const metrics = createMetrics()
    for (const seconds of [0.001, 0.3, 100])
      metrics.observe('signer_seconds', { question: 'sign' }, seconds)
    const buckets = [...metrics.write().matchAll(/signer_seconds_bucket\{.*le="(\S+)"\} (\d)/g)]
    expect(buckets.map(([, limit, count]) => `${limit} ${count}`)).toEqual([
      ...['0.001 1', '0.005 1', '0.025 1', '0.1 1', '0.5 2', '2.5 2', '10 2', '60 2', '+Inf 3'],
    ])
    expect(metrics.write()).toContain('signer_seconds_count{question="sign"} 3\n')
    expect(metrics.write()).toContain('signer_seconds_sum{question="sign"} 100.301\n')
  })

  test.each(['a b', 'x'.repeat(41), '', 'a/b', '"', '\n', 'é'])(
    'of a chain %j, which there is not, are of another one',
    chain => {
      const metrics = createMetrics()
      metrics.count('payments_past_expiry_total', { chain })
      expect(metrics.write()).toContain('past_expiry_total{chain="other"} 1\n')
    },
  )
})

describe('an observer', () => {
  test('knows the age of the last poll that worked, by the time that no clock changes', () => {
    let time = 1_000
    const metrics = createMetrics()
    const observer = createObserver(metrics, { now: () => 7, monotonic: () => time })
    observer.follow(walletsOf('BTC', 'ETH'))
    time = 4_000
    observer.polled('BTC', 'ok', 3)
    observer.polled('ETH', 'failed', 0)
    time = 6_000
    observer.refresh()
    const known = { isPolled: true, polledAt: 7, unsent: 0 }
    expect(observer.chains()).toEqual([
      { ...known, chain: 'BTC', outcome: 'ok', age: 2_000, listed: 3 },
      { ...known, chain: 'ETH', outcome: 'failed', age: null, listed: 0 },
    ])
    expect(metrics.write()).toContain('poll_age_seconds{chain="BTC"} 2\n')
    expect(metrics.write()).toContain('poll_age_seconds{chain="ETH"} 5\n')
    observer.polled('BTC', 'failed', 0)
    expect(observer.chains()[0]).toMatchObject({ outcome: 'failed', age: 2_000, listed: 3 })
  })

  test('knows since when a payment is not sent', () => {
    let time = 0
    const metrics = createMetrics()
    const observer = createObserver(metrics, { now: () => 0, monotonic: () => time })
    observer.unsent('BTC', ['a', 'b'])
    time = 3_000
    observer.unsent('BTC', ['b', 'c'])
    time = 5_000
    observer.refresh()
    expect(metrics.write()).toContain('payments_unsent{chain="BTC"} 2\n')
    expect(metrics.write()).toContain('oldest_unsent_seconds{chain="BTC"} 5\n')
    observer.unsent('BTC', [])
    observer.refresh()
    expect(metrics.write()).toContain('oldest_unsent_seconds{chain="BTC"} 0\n')
  })

  test('forgets a chain that is polled no more', () => {
    const metrics = createMetrics()
    const observer = createObserver(metrics, { now: () => 0, monotonic: () => 0 })
    observer.follow(walletsOf('BTC', 'ETH'))
    observer.refresh()
    observer.follow(walletsOf('ETH'))
    observer.refresh()
    expect(observer.chains().map(({ chain }) => chain)).toEqual(['ETH'])
    expect(metrics.write()).not.toContain('BTC')
  })

  test('misses no polls of a chain without wallets, which has bytes that are to go out', () => {
    let time = 0
    const metrics = createMetrics()
    const observer = createObserver(metrics, { now: () => 0, monotonic: () => time })
    const missing = () =>
      whatIsMissing({ observer, pulse: { age: () => 0, everyMs: 1 }, longestPeriodMs: 1 })
    observer.follow(walletsOf('BTC').set('ETH', []))
    observer.polled('BTC', 'ok', 0)
    observer.unsent('ETH', ['a'])
    observer.refresh()
    expect(missing()).toEqual([])
    expect(metrics.write()).not.toContain('poll_age_seconds{chain="ETH"}')
    expect(metrics.write()).toContain('payments_unsent{chain="ETH"} 1\n')
    time = 7_000
    observer.follow(walletsOf('BTC', 'ETH'))
    observer.refresh()
    expect(missing()).toEqual(['the last poll of ETH that worked is too long ago'])
    expect(metrics.write()).toContain('poll_age_seconds{chain="ETH"} 7\n')
  })
})

function walletsOf(...chains: readonly string[]): Map<string, readonly string[]> {
  return new Map(chains.map(chain => [chain, ['a wallet']]))
}
