import type { Context } from './context.ts'

/** Whether a daemon signs with this vault: it has the ledger's lock as long as it lives. */
export function isDaemonRunning({ place: { disk, path } }: Pick<Context, 'place'>): boolean {
  const ledger = `${path}.ledger`
  // A lock that was never taken is not made just to look.
  if (disk.lookThrough(`${ledger}.lock`) === undefined) return false
  const unlock = disk.tryLock(`${ledger}.lock`)
  unlock?.()
  return unlock === undefined
}
