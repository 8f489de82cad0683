import { dirname, join, resolve } from 'node:path'
import { isatty } from 'node:tty'
import { KmsError } from '../base/errors.ts'
import type { LocalAddress } from '../base/http-server.ts'
import { isLogLevel } from '../base/log.ts'
import { connectDatagram } from '../base/native-unix.ts'
import type { OperationsConfig } from '../daemon/operations-config.ts'
import type { SignerSettings } from '../signer/settings.ts'
import type { Context } from './context.ts'
import { isJournal } from './journal-stream.ts'
import { seconds } from './seconds.ts'
import { isAddress } from './shared-journal.ts'
import { environmentVariable } from './variables.ts'

/** How the daemon may be looked at, from the command line and from what systemd says. */
export function operationsOf(context: Context, periodMs: number): OperationsConfig {
  const { text } = context
  const metrics = text('metrics')
  const metricsFile = text('metrics-file')
  return {
    log: logSettings(context),
    metrics: metrics === undefined ? null : localAddress(metrics),
    metricsFile: metricsFile === undefined ? null : resolve(metricsFile),
    stateFolder: stateFolder(context),
    idlePeriodMs: idlePeriodMs(text('idle-period'), periodMs),
    keepPaymentsMs: keepPaymentsMs(text('keep-payments')),
    beatMs: Math.min(usualBeatMs, Math.ceil((watchdogMs() ?? usualBeatMs * 4) / 4)),
  }
}

const usualBeatMs = 5_000

/** Beside the vault, unless the journal is in a folder of its own, or whoever has no vault says where. */
export function stateFolder(context: Pick<Context, 'text' | 'place'>): string {
  const journal = context.text('journal')
  if (journal !== undefined && !isAddress(journal)) return resolve(journal)
  const own = context.text('state-folder')
  return resolve(own ?? join(dirname(context.place.path), 'journal'))
}

function logSettings({ text }: Context): OperationsConfig['log'] {
  const format = text('log-format')
  const level = text('log-level') ?? 'info'
  if (format !== undefined && format !== 'text' && format !== 'json') {
    throw new KmsError('usage', '--log-format is text or json')
  }
  if (!isLogLevel(level)) {
    throw new KmsError('usage', '--log-level is debug, info, warning or error')
  }
  const json = format === undefined ? !isatty(2) : format === 'json'
  return { json, level, priorities: isJournal() }
}

function localAddress(text: string): LocalAddress {
  const [, path] = /^unix:(\/.{1,99})$/.exec(text) ?? []
  if (path !== undefined) return { path }
  const [, host, digits] = /^(127\.0\.0\.1|\[::1\]):(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  if (host !== undefined && port >= 1 && port <= 65_535) {
    return { host: host === '127.0.0.1' ? host : '::1', port }
  }
  throw new KmsError('usage', '--metrics is 127.0.0.1:PORT, [::1]:PORT or unix:/PATH', {
    hint: 'nobody on another machine may look: put a proxy with a password before it',
  })
}

function idlePeriodMs(text: string | undefined, periodMs: number): number {
  const idle = text === undefined ? periodMs : seconds('--idle-period', text)
  if (idle >= periodMs) return idle
  throw new KmsError('usage', '--idle-period is not shorter than --period')
}

function keepPaymentsMs(days = '90'): number {
  if (/^[1-9]\d{0,3}$/.test(days)) return Number(days) * 86_400_000
  throw new KmsError('usage', '--keep-payments is a number of days from 1 to 9999')
}

type NotifySettings = Pick<SignerSettings, 'notifyFd' | 'watchdogMs' | 'logPriorities'>

/** The socket is connected here: a process with keys opens none. */
export function notifySettings(): NotifySettings {
  const path = environmentVariable('NOTIFY_SOCKET')
  const notifyFd = path === undefined ? undefined : connectDatagram(path)
  return {
    notifyFd: notifyFd ?? null,
    watchdogMs: notifyFd === undefined ? null : watchdogMs(),
    logPriorities: isJournal(),
  }
}

/** sd_watchdog_enabled(3): only the process that is named is watched. */
function watchdogMs(): number | null {
  const time = environmentVariable('WATCHDOG_USEC') ?? ''
  const pid = environmentVariable('WATCHDOG_PID')
  if (pid !== undefined && pid !== String(process.pid)) return null
  return /^[1-9]\d{0,14}$/.test(time) ? Math.ceil(Number(time) / 1000) : null
}
