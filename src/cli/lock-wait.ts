import type { Context } from './context.ts'

/** A person need not wait to hear that a daemon runs, unless `--lock-wait` says so. */
export function impatientLockWait({ text, place }: Pick<Context, 'text' | 'place'>): number {
  return text('lock-wait') === undefined ? 0 : place.lockWaitMs
}
