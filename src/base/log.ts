import { encodeJson, type Json } from './json.ts'

const levels = ['debug', 'info', 'warning', 'error'] as const

export type LogLevel = (typeof levels)[number]

/** What is known about an event. Json only, so that a Secret does not compile. */
export type LogFields = {
  readonly [name: string]: Json | undefined
  readonly time?: never
  readonly level?: never
  readonly event?: never
}

export type Log = Readonly<Record<LogLevel, (event: string, fields?: LogFields) => void>>

export type LogOptions = {
  readonly write: (line: string) => void
  readonly now: () => Date
  /** One JSON object a line, for machines; else text for people. */
  readonly json: boolean
  /** The lowest level that is written. */
  readonly level: LogLevel
  /** Each line starts with its priority, as sd-daemon(3) has it: journald takes it off again. */
  readonly priorities?: boolean
}

/** The levels of syslog(3) that journald knows a line by. */
export const priorityOf = { debug: 7, info: 6, warning: 4, error: 3 } as const

export function isLogLevel(text: string): text is LogLevel {
  return levels.some(level => level === text)
}

/** One line per event, whatever the values hold: nothing in them can start a line of its own. */
export function createLog({ write, now, json, level, priorities = false }: LogOptions): Log {
  const format = json ? jsonLine : textLine
  const at =
    (own: LogLevel) =>
    (event: string, fields: LogFields = {}): void => {
      if (levels.indexOf(own) < levels.indexOf(level)) return
      const priority = priorities ? `<${priorityOf[own]}>` : ''
      const heading = { time: timestamp(now()), level: own, event: cut(event) }
      write(priority + format(heading, fields))
    }
  return { debug: at('debug'), info: at('info'), warning: at('warning'), error: at('error') }
}

type Heading = { readonly time: string; readonly level: LogLevel; readonly event: string }

function jsonLine(heading: Heading, fields: LogFields): string {
  return escapeInvisible(encodeJson({ ...heading, ...Object.fromEntries(shortened(fields)) }))
}

/** `2026-01-01T00:00:00Z info payment sent id=… chain=ETH` */
function textLine({ time, level, event }: Heading, fields: LogFields): string {
  const pairs = shortened(fields).map(([name, value]) => ` ${word(name)}=${word(value)}`)
  const said = escapeInvisible(encodeJson(event)).slice(1, -1)
  return `${time} ${level} ${said}${pairs.join('')}`
}

function shortened(fields: LogFields): readonly (readonly [name: string, value: Json])[] {
  return Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, shorten(value)] as const],
  )
}

function shorten(value: Json): Json {
  if (typeof value === 'string') return cut(value)
  try {
    const encoded = encodeJson(value)
    return encoded.length <= longestValue ? value : cut(encoded)
  } catch {
    // JSON can be nested deeper than its encoder can follow; a log line must never throw.
    return '(nested too deep)'
  }
}

const longestValue = 500

function cut(text: string): string {
  return text.length <= longestValue ? text : `${text.slice(0, longestValue)}…`
}

/** Bare where it reads as one word, quoted as in JSON where it would not. */
function word(value: Json): string {
  const encoded = escapeInvisible(encodeJson(value))
  if (typeof value !== 'string') return encoded
  const isPlain = encoded === `"${value}"` && /^[^\s=]+$/.test(value)
  return isPlain ? value : encoded
}

/**
 * JSON leaves DEL, C1 controls, line separators and direction marks as they are; on a terminal
 * they move the cursor or reorder what a person reads (Unicode TR 36, 2.4.2).
 */
function escapeInvisible(encoded: string): string {
  return encoded.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, character =>
    character
      .split('')
      .map(unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  )
}

/** Whole seconds: what happened in one second is in the order of the lines. */
function timestamp(date: Date): string {
  return date.toISOString().replace(/\.\d{3}Z$/, 'Z')
}
