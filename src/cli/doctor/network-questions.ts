import { asRecord, asString, encodeJson, parseJson } from '../../base/json.ts'
import { decodeSharedPlace } from '../../daemon/config.ts'
import type { SharedPlace } from '../../daemon/journal-postgres.ts'

/** Whom `doctor` asks over the network, and with what: all that the process gets that does so. */
export type NetworkQuestions = {
  /** Null where only the others are asked. */
  readonly apiUrl: string | null
  readonly apiKey: string | null
  readonly approverUrl: string | null
  readonly sharedJournal: SharedPlace | null
  readonly insecureHttp: boolean
  readonly authorities: string | null
  readonly proxy: string | null
}

export function encodeQuestions(questions: NetworkQuestions): string {
  return encodeJson(questions)
}

/** Undefined for what no doctor of ours has written. */
export function decodeQuestions(text: string): NetworkQuestions | undefined {
  const record = asRecord(parseJson(text))
  if (record === undefined) return undefined
  const textOf = (name: string): string | null => asString(record.get(name)) ?? null
  return {
    apiUrl: textOf('apiUrl'),
    apiKey: textOf('apiKey'),
    approverUrl: textOf('approverUrl'),
    sharedJournal: decodeSharedPlace(record.get('sharedJournal')),
    insecureHttp: record.get('insecureHttp') === true,
    authorities: textOf('authorities'),
    proxy: textOf('proxy'),
  }
}
