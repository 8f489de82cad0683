import { confineCalls, settleMisses } from '../../base/confinement.ts'
import { realDisk } from '../../base/disk.ts'
import { type Json, parseJson, prettyJson } from '../../base/json.ts'
import { takeMemoryFile } from '../../base/memory-file.ts'
import { createNotifier } from '../../base/notify.ts'
import { findChain } from '../../chains/index.ts'
import { decodeFrontConfig } from '../../daemon/config.ts'
import { frontRefusals } from '../../daemon/confine.ts'
import { type FrontOutcome, runFront } from '../../daemon/front.ts'
import type { CycleReport } from '../../daemon/run.ts'
import { frontChannelFd } from '../../signer/launch.ts'
import type { Action } from '../action.ts'
import { statusOfMany } from '../exit.ts'
import { decodeFrontStart, type FrontStart } from '../front-start.ts'
import { version } from '../version.ts'

/** The network process; `daemon` starts it. */
export const front: Action = async (context, [startText = '']) => {
  const { now, monotonic, sleep, random, onReloadSignal, onStopSignal, terminal } = context
  process.umask(0o077)
  const start = decodeFrontStart(startText)
  confineTheRest(start, terminal.warn)
  // Sent to the whole group it is meant for the signer, which has the policy.
  onReloadSignal(() => {})
  const outcome = await runFront({
    channelFd: start.service?.channelFd ?? frontChannelFd,
    version,
    findChain,
    now,
    monotonic,
    sleep,
    random,
    writeLog: terminal.log,
    disk: realDisk,
    onStopSignal,
    ...(start.service && { service: takeService(start.service) }),
  })
  if (outcome === undefined) return 0
  if ('failures' in outcome) return statusOfMany(outcome.sent, outcome.failures)
  const [answer, doubt] = tell(outcome)
  terminal.answer(prettyJson(answer))
  if (doubt !== undefined) terminal.warn(doubt)
  return 0
}

/** Before the first byte of others is read; its files were taken from it by the process before. */
function confineTheRest(
  { misses, requireHardening }: FrontStart,
  warn: (text: string) => void,
): void {
  const found = [...misses, ...confineCalls(frontRefusals())]
  settleMisses('the network process', found, { isRequired: requireHardening, warn })
}

function takeService({ configFd, notifyFd }: NonNullable<FrontStart['service']>) {
  const config = parseJson(Buffer.from(takeMemoryFile(configFd)).toString('utf8'))
  return { config: decodeFrontConfig(config), notifier: createNotifier(notifyFd) }
}

/** What a person's order came to, and what is left for the person to look up. */
function tell(outcome: Exclude<FrontOutcome, CycleReport>): readonly [Json, string | undefined] {
  if ('cancelled' in outcome) {
    const { cancelled } = outcome
    const { txId, replacement } = cancelled
    if (txId === null || replacement !== null) return [cancelled, undefined]
    return [cancelled, `${txId} may still arrive: look it up before you pay in another way`]
  }
  const { resigned } = outcome
  const doubt = `look ${resigned.replaced} up on an explorer: if it arrived after all, it was paid twice`
  return [resigned, doubt]
}
