import {
  asArray,
  asInteger,
  asRecord,
  asString,
  encodeJson,
  type Json,
  parseJson,
} from '../base/json.ts'
import type { ChainFacts } from './observer.ts'

/** Beside the journal; what `tatum-kms status` shows. */
export const statusFile = 'status.json'

/** What a running daemon says of itself. Times are milliseconds since 1970. */
export type DaemonStatus = {
  readonly version: string
  /** Of the signer; null where that is a service of its own. */
  readonly pid: number | null
  readonly frontPid: number
  readonly startedAt: number
  readonly toldAt: number
  readonly network: string
  readonly periodMs: number
  readonly idlePeriodMs: number
  readonly hasApprover: boolean
  readonly vault: { readonly id: string; readonly generation: string; readonly wallets: number }
  readonly chains: readonly ChainStatus[]
  /** What tries of payments came to since the start. */
  readonly outcomes: Readonly<Record<string, number>>
}

type ChainStatus = Pick<ChainFacts, 'chain' | 'polledAt' | 'outcome' | 'listed' | 'unsent'>

export function encodeStatus(status: DaemonStatus): string {
  return `${encodeJson(status satisfies Json)}\n`
}

/** Reads what a daemon wrote, perhaps one of another version; undefined for anything else. */
export function decodeStatus(text: string): DaemonStatus | undefined {
  const record = asRecord(parseJson(text))
  const vault = asRecord(record?.get('vault'))
  const chains = asArray(record?.get('chains'))?.map(decodeChain)
  const outcomes = decodeOutcomes(record?.get('outcomes'))
  const version = shortText(record?.get('version'))
  const network = shortText(record?.get('network'))
  const id = shortText(vault?.get('id'))
  const generation = shortText(vault?.get('generation'))
  const pid = record?.get('pid') === null ? null : asInteger(record?.get('pid'))
  const numbers = ['frontPid', 'startedAt', 'toldAt', 'periodMs', 'idlePeriodMs'] as const
  const [frontPid, startedAt, toldAt, periodMs, idlePeriodMs] = numbers.map(name =>
    asInteger(record?.get(name)),
  )
  const wallets = asInteger(vault?.get('wallets'))
  if (version === undefined || network === undefined || outcomes === undefined) return undefined
  if (id === undefined || generation === undefined || wallets === undefined) return undefined
  if (pid === undefined || frontPid === undefined || !isTime(startedAt) || !isTime(toldAt)) {
    return undefined
  }
  if (periodMs === undefined || idlePeriodMs === undefined) return undefined
  if (!chains?.every(chain => chain !== undefined)) return undefined
  const hasApprover = record?.get('hasApprover') === true
  return {
    ...{ version, pid, frontPid, startedAt, toldAt, network, periodMs, idlePeriodMs, hasApprover },
    vault: { id, generation, wallets },
    chains,
    outcomes,
  }
}

function decodeChain(value: unknown): ChainStatus | undefined {
  const record = asRecord(value)
  const chain = shortText(record?.get('chain'))
  const polledAt = record?.get('polledAt') ?? null
  const outcome = record?.get('outcome') ?? null
  const listed = asInteger(record?.get('listed'))
  const unsent = asInteger(record?.get('unsent'))
  if (chain === undefined || listed === undefined || unsent === undefined) return undefined
  if (polledAt !== null && !isTime(polledAt)) return undefined
  if (outcome !== null && outcome !== 'ok' && outcome !== 'failed') return undefined
  return { chain, polledAt, outcome, listed, unsent }
}

function decodeOutcomes(value: unknown): Readonly<Record<string, number>> | undefined {
  const entries = [...(asRecord(value) ?? [])].map(
    ([name, count]) => [shortText(name), asInteger(count)] as const,
  )
  if (asRecord(value) === undefined) return undefined
  const isSound = (entry: (typeof entries)[number]): entry is [string, number] =>
    entry[0] !== undefined && entry[1] !== undefined
  return entries.every(isSound) ? Object.fromEntries(entries) : undefined
}

/** A word that may be shown on a terminal. */
function shortText(value: unknown): string | undefined {
  const text = asString(value)
  return text !== undefined && /^[\w.+-]{1,80}$/.test(text) ? text : undefined
}

/** What a calendar has. */
function isTime(value: unknown): value is number {
  return asInteger(value) !== undefined && Math.abs(Number(value)) <= 8.64e15
}
