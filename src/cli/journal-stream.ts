import { fstatSync } from 'node:fs'
import { environmentVariable } from './variables.ts'

/** Whether stderr goes to journald, which says so with the device and inode of its stream. */
export function isJournal(): boolean {
  const [, device, inode] = /^(\d+):(\d+)$/.exec(environmentVariable('JOURNAL_STREAM') ?? '') ?? []
  if (device === undefined || inode === undefined) return false
  try {
    const { dev, ino } = fstatSync(2, { bigint: true })
    return dev === BigInt(device) && ino === BigInt(inode)
  } catch {
    return false
  }
}
