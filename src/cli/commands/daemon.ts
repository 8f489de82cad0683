import type { Action } from '../action.ts'
import { pollingTask } from '../front-config.ts'
import { launchDaemon } from '../launch-daemon.ts'
import { exceptionsOf } from '../signer-rules.ts'

/** `daemon`: polls and pays until it is told to stop. */
export const daemon: Action = async context =>
  launchDaemon(context, {
    ...pollingTask(context),
    ...exceptionsOf(context),
    lockWaitMs: context.place.lockWaitMs,
  })
