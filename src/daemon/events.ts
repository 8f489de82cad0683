import type { Json } from '../base/json.ts'
import type { LogLevel } from '../base/log.ts'

type EventShape = { readonly level: LogLevel; readonly fields: readonly string[] }

/**
 * All that the daemon's log can say: docs/operations.md tells of each. No field holds a payload; a
 * `reason` may quote a server, cleaned of addresses and of the API key.
 */
export const events = {
  'daemon started': { level: 'info', fields: ['version', 'network', 'wallets', 'generation'] },
  'daemon stopping': { level: 'info', fields: [] },
  'payment sent': { level: 'info', fields: ['id', 'chain', 'txId'] },
  'payment sent again': { level: 'info', fields: ['id', 'chain', 'txId'] },
  'payment approved': { level: 'info', fields: ['id', 'chain'] },
  'payment denied': { level: 'warning', fields: ['id', 'chain', 'code', 'reason'] },
  'payment not sent': { level: 'warning', fields: ['id', 'chain', 'code', 'reason'] },
  'payment not confirmed': { level: 'warning', fields: ['id', 'chain', 'txId', 'code', 'reason'] },
  'payment expired': { level: 'warning', fields: ['id', 'chain', 'txId'] },
  'payment is past its expiry': { level: 'warning', fields: ['id', 'chain', 'expiry'] },
  'payment overtaken': { level: 'warning', fields: ['id', 'chain', 'txId', 'reason'] },
  'payment is tried at once': { level: 'info', fields: ['id', 'chain'] },
  'withdrawal must be completed by hand': { level: 'warning', fields: ['id', 'chain'] },
  'arrivals not looked up': { level: 'warning', fields: ['chain', 'sender', 'reason'] },
  'chain is retired': { level: 'warning', fields: ['id', 'chain', 'reason'] },
  'input amounts not verified': { level: 'warning', fields: ['id', 'chain', 'reason'] },
  'proposal key not released': { level: 'warning', fields: ['id', 'chain', 'reason'] },
  'transaction has another id': { level: 'warning', fields: ['id', 'chain', 'reason'] },
  'poll failed': { level: 'warning', fields: ['chain', 'reason'] },
  'poll works again': { level: 'info', fields: ['chain'] },
  'failures could not be reported': { level: 'warning', fields: ['reason'] },
  'vault reloaded': { level: 'info', fields: [] },
  'vault not reloaded': { level: 'warning', fields: ['reason'] },
  'wallet not in the vault': { level: 'warning', fields: ['id'] },
  'nothing can be signed': { level: 'error', fields: ['reason'] },
  'payments go on': { level: 'info', fields: [] },
  'clock jumped': { level: 'warning', fields: ['seconds'] },
  'status not written': { level: 'warning', fields: ['reason'] },
  'metrics not written': { level: 'warning', fields: ['reason'] },
  'newer version of the protocol': { level: 'info', fields: ['version', 'grade', 'message'] },
} as const satisfies Readonly<Record<string, EventShape>>

type EventName = keyof typeof events

type OfLevel<L extends LogLevel> = {
  [E in EventName]: (typeof events)[E]['level'] extends L ? E : never
}[EventName]

type FieldsOf<E extends EventName> = (typeof events)[E]['fields'][number]

type Told<E extends EventName> = [FieldsOf<E>] extends [never]
  ? []
  : [fields: Readonly<Record<FieldsOf<E>, Json | undefined>>]

/** A log that takes what is in `events` only: each event at its level, with its fields. */
export type EventLog = {
  readonly [L in LogLevel]: <E extends OfLevel<L>>(event: E, ...told: Told<E>) => void
}
