import { accessSync, constants, existsSync, statfsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { loadPolicy } from '../../signer/policy-source.ts'
import type { Context } from '../context.ts'
import { stateFolder } from '../operations.ts'
import { shareOption } from '../share-option.ts'
import { type Check, check, type Finding } from './check.ts'

/** Whether what a daemon writes can be written, and the rules read that it signs by. */
export function checkState(context: Context): readonly Promise<Check>[] {
  const policy = context.text('policy')
  return [
    check('room for the ledger', () => room(dirname(context.place.path))),
    check('room for the journal', () => room(stateFolder(context))),
    ...(policy === undefined ? [] : [check('policy', () => rules(context, resolve(policy)))]),
  ]
}

const mebibyte = 2 ** 20

/** Of a folder that is not there yet: where it will be. Nothing is written to find out. */
function room(folder: string): Finding {
  if (!existsSync(folder)) return room(dirname(folder))
  try {
    accessSync(folder, constants.W_OK)
  } catch {
    return ['failed', `${folder} cannot be written to`, 'run it as the user of the daemon']
  }
  const { bavail, bsize } = statfsSync(folder)
  return freeSpace(folder, bavail * bsize)
}

/** A payment takes some kilobytes in each of the two. */
export function freeSpace(folder: string, bytes: number): Finding {
  const free = Math.floor(bytes / mebibyte)
  const about = `${folder} has ${free} MiB left`
  if (free >= 1024) return ['ok', about]
  const hint = 'without room nothing is signed'
  return free >= 64 ? ['warning', about, hint] : ['failed', about, hint]
}

function rules({ place, text }: Context, path: string): Finding {
  loadPolicy(place.disk, { path, share: shareOption(text('share')) })
  return ['ok', `${path} can be read; tatum-kms policy check says what it says`]
}
