import { prettyJson } from '../../base/json.ts'
import type { Action } from '../action.ts'
import { checkConfinement } from '../doctor/confinement.ts'
import { checkDaemon } from '../doctor/daemon.ts'
import { checkFiles } from '../doctor/files.ts'
import { checkMachine } from '../doctor/machine.ts'
import { checkNetwork } from '../doctor/network.ts'
import { checkState } from '../doctor/state.ts'
import { exitStatus } from '../exit.ts'
import { table } from '../table.ts'

/** `doctor`: whether this machine, the vault and what is beside it are as they should be. */
export const doctor: Action = async context => {
  // First: where the password is read, this process gives up programs and the network.
  const network = checkNetwork(context)
  const checks = await Promise.all([
    ...checkMachine(context),
    ...checkConfinement(),
    ...checkFiles(context),
    ...checkState(context),
    ...checkDaemon(context),
    ...network,
  ])
  const { terminal, isSet } = context
  if (isSet('json')) terminal.answer(prettyJson(checks))
  else {
    const rows = checks.map(({ name, result, about, hint }) => [
      ...[result, name, hint === undefined ? about : `${about} (${hint})`],
    ])
    terminal.answer(table(['result', 'check', 'what was found'], rows))
  }
  return checks.some(({ result }) => result === 'failed') ? exitStatus['partly-done'] : 0
}
