type MetricShape = {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly labels: readonly string[]
  readonly help: string
}

/** All that is measured: docs/operations.md tells of each. No label holds an id, address or text. */
export const metricTable = {
  build_info: { type: 'gauge', labels: ['version'], help: 'Always 1; the version is the label' },
  start_time_seconds: {
    type: 'gauge',
    labels: [],
    help: 'When this daemon started, in seconds since 1970',
  },
  payments_total: {
    type: 'counter',
    labels: ['chain', 'outcome'],
    help: 'What tries of payments came to',
  },
  payments_past_expiry_total: {
    type: 'counter',
    labels: ['chain'],
    help: 'Payments that were listed after the time they were to be made by',
  },
  payments_listed: {
    type: 'gauge',
    labels: ['chain'],
    help: 'Entries of the last poll that worked',
  },
  payments_unsent: {
    type: 'gauge',
    labels: ['chain'],
    help: 'Payments that have bytes which nobody is known to have taken',
  },
  oldest_unsent_seconds: {
    type: 'gauge',
    labels: ['chain'],
    help: 'How long the oldest of them has been so, as far as this daemon has seen it',
  },
  approvals_total: { type: 'counter', labels: ['verdict'], help: 'What the approver said' },
  polls_total: { type: 'counter', labels: ['chain', 'outcome'], help: 'Polls of a chain' },
  poll_age_seconds: {
    type: 'gauge',
    labels: ['chain'],
    help: 'Time since the last poll that worked, or since the chain is polled',
  },
  reports_pending: {
    type: 'gauge',
    labels: ['chain'],
    help: 'Failures that Tatum has not been told of yet',
  },
  http_requests_total: {
    type: 'counter',
    labels: ['peer', 'outcome'],
    help: 'Requests to other machines, retries included',
  },
  http_retries_total: { type: 'counter', labels: ['peer'], help: 'Requests that were made again' },
  api_calls_total: { type: 'counter', labels: ['kind'], help: 'Requests to the Tatum API' },
  api_credits_total: {
    type: 'counter',
    labels: ['kind'],
    help: 'What they cost, as far as it can be estimated',
  },
  signer_seconds: {
    type: 'histogram',
    labels: ['question'],
    help: 'How long the signer took to answer',
  },
  ledger_signatures: { type: 'gauge', labels: [], help: 'Signed payments that the ledger has' },
  ledger_commits: { type: 'gauge', labels: [], help: 'Commits that the ledger has' },
  vault_generation: { type: 'gauge', labels: [], help: 'How often the vault was changed' },
  vault_wallets: { type: 'gauge', labels: [], help: 'Wallets in the vault, of both networks' },
  clock_jumps_total: {
    type: 'counter',
    labels: [],
    help: 'Times that the clock was moved by more than ten seconds',
  },
  process_resident_bytes: {
    type: 'gauge',
    labels: ['side'],
    help: 'Memory that is held',
  },
  process_cpu_seconds_total: {
    type: 'counter',
    labels: ['side'],
    help: 'Processor time that was used',
  },
} as const satisfies Readonly<Record<string, MetricShape>>

export type MetricName = keyof typeof metricTable

export type MetricLabels<N extends MetricName> = Readonly<
  Record<(typeof metricTable)[N]['labels'][number], string>
>

type OfType<T> = {
  [N in MetricName]: (typeof metricTable)[N]['type'] extends T ? N : never
}[MetricName]

export type CounterName = OfType<'counter'>
export type GaugeName = OfType<'gauge'>
export type HistogramName = OfType<'histogram'>
