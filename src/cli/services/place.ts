import { resolve } from 'node:path'
import type { Context } from '../context.ts'
import type { Place } from './installation.ts'

/** From the options that installing and removing share. */
export function placeOf({ text, isSet, terminal }: Context): Place {
  const isDryRun = isSet('dry-run')
  return {
    root: resolve(text('root') ?? '/'),
    isDryRun,
    isForced: isSet('force'),
    tell: (did, would, what) =>
      terminal.answer(isDryRun ? `would ${would} ${what}` : `${did} ${what}`),
  }
}
