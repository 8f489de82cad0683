import { KmsError } from '../../base/errors.ts'
import type { Action } from '../action.ts'
import { visibleCommands } from '../commands.ts'
import { manual } from '../manual.ts'
import { bashCompletion } from '../shell/bash.ts'
import { fishCompletion } from '../shell/fish.ts'
import { zshCompletion } from '../shell/zsh.ts'
import { version } from '../version.ts'

const shells = new Map([
  ['bash', bashCompletion],
  ['zsh', zshCompletion],
  ['fish', fishCompletion],
])

/** `completion bash|zsh|fish`: a script for that shell, made of the table of commands. */
export const completion: Action = async ({ terminal }, [shell = '']) => {
  const script = shells.get(shell)
  if (script === undefined) {
    throw new KmsError('usage', `completion is for ${[...shells.keys()].join(', ')}`)
  }
  terminal.answer(script(visibleCommands))
  return 0
}

/** `man`: the manual page, for `tatum-kms man | man -l -`. */
export const man: Action = async ({ terminal }) => {
  terminal.answer(manual(visibleCommands, version))
  return 0
}
