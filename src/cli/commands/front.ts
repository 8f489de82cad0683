import { realDisk } from '../../base/disk.ts'
import { type Json, prettyJson } from '../../base/json.ts'
import { findChain } from '../../chains/index.ts'
import { type FrontOutcome, runFront } from '../../daemon/front.ts'
import type { CycleReport } from '../../daemon/run.ts'
import { frontChannelFd } from '../../signer/launch.ts'
import type { Action } from '../action.ts'
import { exitStatus } from '../exit.ts'
import { version } from '../version.ts'

/** The network process; `daemon` starts it. */
export const front: Action = async context => {
  const { now, sleep, random, onStopSignal, terminal } = context
  process.umask(0o077)
  const outcome = await runFront({
    channelFd: frontChannelFd,
    version,
    findChain,
    now,
    sleep,
    random,
    writeLog: terminal.log,
    disk: realDisk,
    onStopSignal,
  })
  if (outcome === undefined) return 0
  if ('failures' in outcome) return statusOf(outcome)
  const [answer, doubt] = tell(outcome)
  terminal.answer(prettyJson(answer))
  if (doubt !== undefined) terminal.warn(doubt)
  return 0
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

/** 0 all sent, 3 some, else what the first failure was (DESIGN 7). */
function statusOf({ sent, failures }: CycleReport): number {
  const [first] = failures
  if (first === undefined) return 0
  return sent > 0 ? exitStatus['partly-done'] : exitStatus[first]
}
