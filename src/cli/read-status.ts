import { join } from 'node:path'
import { realDisk } from '../base/disk.ts'
import { openRegular } from '../base/guarded-file.ts'
import { readUpTo } from '../base/open-file.ts'
import { type DaemonStatus, decodeStatus, statusFile } from '../daemon/status.ts'
import type { Context } from './context.ts'
import { stateFolder } from './operations.ts'

const maxStatusLength = 256 * 1024

/** What the daemon of this vault last said of itself. */
export function readStatus(context: Pick<Context, 'text' | 'place'>): DaemonStatus | undefined {
  const file = openRegular(realDisk, join(stateFolder(context), statusFile), 'read')
  if (file === undefined) return undefined
  try {
    return decodeStatus(Buffer.from(readUpTo(file.read, 0, maxStatusLength)).toString('utf8'))
  } finally {
    file.close()
  }
}
