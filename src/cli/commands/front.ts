import { confineCalls, settleMisses } from '../../base/confinement.ts'
import { realDisk } from '../../base/disk.ts'
import { asArray, asRecord, asString, type Json, parseJson, prettyJson } from '../../base/json.ts'
import { findChain } from '../../chains/index.ts'
import { frontRefusals } from '../../daemon/confine.ts'
import { type FrontOutcome, runFront } from '../../daemon/front.ts'
import type { CycleReport } from '../../daemon/run.ts'
import { frontChannelFd } from '../../signer/launch.ts'
import type { Action } from '../action.ts'
import { exitStatus } from '../exit.ts'
import { version } from '../version.ts'

/** The network process; `daemon` starts it. */
export const front: Action = async (context, [startText = '']) => {
  const { now, monotonic, sleep, random, onReloadSignal, onStopSignal, terminal } = context
  process.umask(0o077)
  confineTheRest(startText, terminal.warn)
  // Sent to the whole group it is meant for the signer, which has the policy.
  onReloadSignal(() => {})
  const outcome = await runFront({
    channelFd: frontChannelFd,
    version,
    findChain,
    now,
    monotonic,
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

/** Before the first byte of others is read; its files were taken from it by `confine-front`. */
function confineTheRest(startText: string, warn: (text: string) => void): void {
  const start = asRecord(parseJson(startText))
  const before = asArray(start?.get('misses'))?.map(miss => asString(miss) ?? '')
  const isRequired = start?.get('requireHardening') === true
  const misses = [...(before ?? ['files: started by hand']), ...confineCalls(frontRefusals)]
  settleMisses('the network process', misses, { isRequired, warn })
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
