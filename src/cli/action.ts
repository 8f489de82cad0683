import type { Context } from './context.ts'

/** What a command does with its arguments. Answers its exit status. */
export type Action = (context: Context, args: readonly string[]) => Promise<number>
