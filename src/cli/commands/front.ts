import { realDisk } from '../../base/disk.ts'
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
  const report = await runFront({
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
  return report === undefined ? 0 : statusOf(report)
}

/** 0 all sent, 3 some, else what the first failure was (DESIGN 7). */
function statusOf({ sent, failures }: CycleReport): number {
  const [first] = failures
  if (first === undefined) return 0
  return sent > 0 ? exitStatus['partly-done'] : exitStatus[first]
}
