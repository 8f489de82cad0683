import { KmsError } from '../../base/errors.ts'
import type { Action } from '../action.ts'
import type { Command, CommandGroup } from '../command.ts'
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
export function completion(commands: readonly Command[]): Action {
  return async ({ terminal }, [shell = '']) => {
    const script = shells.get(shell)
    if (script === undefined) {
      throw new KmsError('usage', `completion is for ${[...shells.keys()].join(', ')}`)
    }
    terminal.answer(script(commands))
    return 0
  }
}

/** `man`: the manual page, for `tatum-kms man | man -l -`. */
export function man(groups: readonly CommandGroup[]): Action {
  return async ({ terminal }) => {
    terminal.answer(manual(groups, version))
    return 0
  }
}
