import type { LocalAddress } from '../base/http-server.ts'
import { asInteger, asRecord, asString } from '../base/json.ts'
import { isLogLevel, type LogLevel } from '../base/log.ts'

/** What those who look after the daemon get to see of it, and how often. */
export type OperationsConfig = {
  readonly log: { readonly json: boolean; readonly level: LogLevel; readonly priorities: boolean }
  readonly metrics: LocalAddress | null
  readonly metricsFile: string | null
  /** For `status.json`, and for what people order. */
  readonly stateFolder: string
  readonly idlePeriodMs: number
  /** How long a payment that is over stays in the journal. */
  readonly keepPaymentsMs: number
  /** From one sign of life to the next. */
  readonly beatMs: number
}

export function decodeOperations(value: unknown): OperationsConfig | undefined {
  const record = asRecord(value)
  const log = asRecord(record?.get('log'))
  const level = asString(log?.get('level'))
  const metrics = decodeAddress(record?.get('metrics'))
  const stateFolder = asString(record?.get('stateFolder'))
  const idlePeriodMs = asInteger(record?.get('idlePeriodMs'))
  const beatMs = asInteger(record?.get('beatMs'))
  const keepPaymentsMs = asInteger(record?.get('keepPaymentsMs'))
  if (level === undefined || !isLogLevel(level) || metrics === undefined) return undefined
  if (stateFolder === undefined || idlePeriodMs === undefined) return undefined
  if (beatMs === undefined || keepPaymentsMs === undefined) return undefined
  return {
    log: { json: log?.get('json') === true, level, priorities: log?.get('priorities') === true },
    metrics,
    metricsFile: asString(record?.get('metricsFile')) ?? null,
    stateFolder,
    idlePeriodMs,
    keepPaymentsMs,
    beatMs,
  }
}

function decodeAddress(value: unknown): LocalAddress | null | undefined {
  if (value === null) return null
  const record = asRecord(value)
  const path = asString(record?.get('path'))
  if (path !== undefined) return { path }
  const host = record?.get('host')
  const port = asInteger(record?.get('port'))
  if ((host !== '127.0.0.1' && host !== '::1') || port === undefined) return undefined
  return { host, port }
}
