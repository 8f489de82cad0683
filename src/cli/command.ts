import type { Action } from './action.ts'

export type Option = {
  /** As typed, in kebab case; the camelCase spelling works as well. */
  readonly name: string
  /** What stands for the value in the help; absent for a switch. */
  readonly value?: string
  readonly about: string
  /** May be given more than once: what follows is joined with commas. */
  readonly repeats?: true
}

export type Command = {
  readonly name: string
  readonly args: readonly string[]
  readonly about: string
  /** Whole command lines, without the program's name; one at least, unless it is hidden. */
  readonly examples: readonly string[]
  readonly options: readonly Option[]
  /** Not in the help: processes that we start ourselves. */
  readonly hidden?: true
  /** Loads the code only when the command runs, so that help is instant. */
  readonly load: () => Promise<Action>
}

export type CommandGroup = { readonly title: string; readonly commands: readonly Command[] }
