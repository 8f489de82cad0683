import { prettyJson } from '../../base/json.ts'
import type { Action } from '../action.ts'
import { checkConfinement } from '../doctor/confinement.ts'
import { checkFiles } from '../doctor/files.ts'
import { checkMachine } from '../doctor/machine.ts'
import { exitStatus } from '../exit.ts'
import { table } from '../table.ts'

/** `doctor`: whether this machine, the vault and what is beside it are as they should be. */
export const doctor: Action = async context => {
  const checks = await Promise.all([
    ...checkMachine(context),
    ...checkConfinement(),
    ...checkFiles(context),
  ])
  const { terminal, isSet } = context
  if (isSet('json')) terminal.answer(prettyJson(checks))
  else {
    const rows = checks.map(({ name, result, about }) => [result, name, about])
    terminal.answer(table(['result', 'check', 'what was found'], rows))
  }
  return checks.some(({ result }) => result === 'failed') ? exitStatus['partly-done'] : 0
}
