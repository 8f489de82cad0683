import { type Json, prettyJson } from '../../base/json.ts'
import type { DaemonStatus } from '../../daemon/status.ts'
import type { Action } from '../action.ts'
import { isDaemonRunning } from '../is-daemon-running.ts'
import { readStatus } from '../read-status.ts'
import { table } from '../table.ts'

/** As `systemctl status` has it (LSB): the program is not running. */
const notRunning = 3

/** `status`: what the daemon of this vault last said of itself, and whether it is still there. */
export const status: Action = async context => {
  const { terminal, isSet, now } = context
  const isRunning = isDaemonRunning(context)
  const told = readStatus(context)
  const ageMs = told === undefined ? undefined : Math.max(0, now() - told.toldAt)
  if (isSet('json')) terminal.answer(prettyJson(asJson(isRunning, told)))
  else terminal.answer(asText(isRunning, told, ageMs))
  if (isRunning && (ageMs === undefined || ageMs > silentMs)) {
    terminal.warn('the daemon runs, but it has said nothing of itself for a while')
  }
  return isRunning ? 0 : notRunning
}

/** It tells every few seconds; a signer that is busy, or a start, may take longer. */
const silentMs = 60_000

function asJson(isRunning: boolean, told: DaemonStatus | undefined): Json {
  if (told === undefined) return { running: isRunning, told: null }
  const { startedAt, toldAt, chains, ...rest } = told
  return {
    running: isRunning,
    told: {
      ...rest,
      startedAt: timeText(startedAt),
      toldAt: timeText(toldAt),
      chains: chains.map(chain => ({ ...chain, polledAt: timeText(chain.polledAt) })),
    },
  }
}

function asText(
  isRunning: boolean,
  told: DaemonStatus | undefined,
  ageMs: number | undefined,
): string {
  const heading = isRunning ? 'a daemon runs' : 'no daemon runs'
  if (told === undefined || ageMs === undefined) return heading
  const { pid, frontPid, version, network, startedAt, vault, chains, outcomes } = told
  const tries = Object.entries(outcomes).map(([outcome, count]) => `${outcome} ${count}`)
  return [
    `${heading}; it said ${Math.round(ageMs / 1000)} s ago:`,
    `version ${version}, ${network}, signer ${pid ?? 'in its own service'}, front ${frontPid}, since ${timeText(startedAt)}`,
    `vault ${vault.id}, generation ${vault.generation}, wallets: ${vault.wallets}`,
    `period ${told.periodMs / 1000} s, up to ${told.idlePeriodMs / 1000} s while nothing comes; approval server: ${told.hasApprover ? 'yes' : 'no'}`,
    `tries of payments since then: ${tries.length === 0 ? 'none' : tries.join(', ')}`,
    table(
      ['chain', 'last poll', 'outcome', 'listed', 'not yet sent'],
      chains.map(({ chain, polledAt, outcome, listed, unsent }) => [
        ...[chain, timeText(polledAt) ?? '-', outcome ?? '-', `${listed}`, `${unsent}`],
      ]),
    ),
  ].join('\n')
}

function timeText(milliseconds: number | null): string | null {
  return milliseconds === null ? null : new Date(milliseconds).toISOString()
}
