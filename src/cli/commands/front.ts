import { realDisk } from '../../base/disk.ts'
import { prettyJson } from '../../base/json.ts'
import { findChain } from '../../chains/index.ts'
import { runFront } from '../../daemon/front.ts'
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
  if (!('cancelled' in outcome)) return statusOf(outcome)
  terminal.answer(prettyJson(outcome.cancelled))
  return 0
}

/** 0 all sent, 3 some, else what the first failure was (DESIGN 7). */
function statusOf({ sent, failures }: CycleReport): number {
  const [first] = failures
  if (first === undefined) return 0
  return sent > 0 ? exitStatus['partly-done'] : exitStatus[first]
}
