import type { Disk } from '../base/disk.ts'
import { KmsError } from '../base/errors.ts'
import { openRegular } from '../base/guarded-file.ts'
import { readUpTo } from '../base/open-file.ts'

/** The text of a file that anybody may have written: whatever is in it is judged by its reader. */
export function readPlainFile(disk: Disk, path: string, maxBytes: number): string {
  const file = openRegular(disk, path, 'read')
  if (file === undefined) throw new KmsError('usage', `there is no file at ${path}`)
  try {
    const bytes = readUpTo(file.read, 0, Math.min(file.stat().size, maxBytes) + 1)
    if (bytes.length > maxBytes) {
      throw new KmsError('usage', `${path} is larger than ${maxBytes} bytes`)
    }
    return Buffer.from(bytes).toString('utf8')
  } finally {
    file.close()
  }
}
