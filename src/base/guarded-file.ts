import { dirname } from 'node:path'
import type { Disk } from './disk.ts'
import { attempt, isPresent, unlessMissing } from './disk-fault.ts'
import { type ErrorCode, KmsError } from './errors.ts'
import { type FileFacts, type OpenFile, readUpTo } from './open-file.ts'

/**
 * The file's bytes, or undefined when there is none. Refuses links, other people's files, and files
 * that anybody but the owner may touch.
 */
export function readGuarded(disk: Disk, path: string, maxBytes: number): Uint8Array | undefined {
  return readWhole(disk, path, maxBytes, {
    refuse: facts => refuseSharedFile(disk, path, facts),
    tooLarge: 'vault-damaged',
  })
}

/**
 * The bytes of a file that settings come from, or undefined when there is none. Others may read it,
 * but whoever could write it could change what this program does: then it is refused.
 */
export function readConfigFile(disk: Disk, path: string, maxBytes: number): Uint8Array | undefined {
  return readWhole(disk, path, maxBytes, {
    refuse(facts) {
      refuseForeign(disk, path, facts)
      if (disk.user() === undefined || (facts.mode & 0o022) === 0) return
      throw new KmsError('unsafe-permissions', `others than its owner may write to ${path}`, {
        hint: `chmod 600 ${path}`,
      })
    },
    tooLarge: 'usage',
  })
}

function readWhole(
  disk: Disk,
  path: string,
  maxBytes: number,
  { refuse, tooLarge }: { refuse(facts: FileFacts): void; readonly tooLarge: ErrorCode },
): Uint8Array | undefined {
  return attempt(`cannot read ${path}`, () => {
    for (let round = 0; round < 10; round++) {
      const file = openRegular(disk, path, 'read')
      if (file === undefined) return undefined
      try {
        const facts = file.stat()
        refuse(facts)
        const bytes = readUpTo(file.read, 0, Math.min(facts.size, maxBytes) + 1)
        if (bytes.length > maxBytes) {
          throw new KmsError(tooLarge, `${path} is larger than ${maxBytes} bytes`)
        }
        // One that was replaced or written to meanwhile may be half of what it is to be.
        if (disk.look(path)?.identity === facts.identity) return bytes
      } finally {
        file.close()
      }
    }
    throw new KmsError('vault-busy', `${path} is replaced again and again while it is read`)
  })
}

/** True when there is a file at `path`; refuses what `readGuarded` would, without reading it. */
export function guardedExists(disk: Disk, path: string): boolean {
  return attempt(`cannot read ${path}`, () => {
    const file = openRegular(disk, path, 'read')
    if (file === undefined) return false
    try {
      refuseSharedFile(disk, path, file.stat())
      return true
    } finally {
      file.close()
    }
  })
}

/** The file at `path` if there is one; refuses what is no file, links included. */
export function openRegular(
  disk: Disk,
  path: string,
  access: 'read' | 'read-write',
): OpenFile | undefined {
  const file = unlessMissing(() => disk.open(path, access))
  if (file === undefined || file.stat().kind === 'file') return file
  file.close()
  throw new KmsError('unsafe-permissions', `${path} is not a regular file`)
}

function refuseSharedFile(disk: Disk, path: string, facts: FileFacts): void {
  refuseForeign(disk, path, facts)
  if (disk.user() === undefined || (facts.mode & 0o077) === 0) return
  throw new KmsError('unsafe-permissions', `${path} may be touched by others than its owner`, {
    hint: `chmod 600 ${path}`,
  })
}

function refuseForeign(disk: Disk, path: string, { uid }: FileFacts): void {
  const user = disk.user()
  // Root administers vaults of the daemon's user; what it writes keeps that owner.
  if (user === undefined || user === 0 || uid === user || uid === 0) return
  throw new KmsError('unsafe-permissions', `${path} belongs to another user (uid ${uid})`, {
    hint: `chown ${user} ${path}, or run this as its owner`,
  })
}

/**
 * Makes `folder` (0700) with what is missing above it. Refuses one where others may write; answers
 * warnings about one they may look into.
 */
export function ensureFolder(disk: Disk, folder: string): readonly string[] {
  const facts = attempt(`cannot make ${folder}`, () => {
    makeFolder(disk, folder)
    return disk.lookThrough(folder)
  })
  if (facts?.kind !== 'folder') throw new KmsError('disk', `${folder} is not a folder`)
  refuseForeign(disk, folder, facts)
  if (disk.user() === undefined) return []
  if ((facts.mode & 0o022) !== 0) {
    throw new KmsError('unsafe-permissions', `others than its owner may write to ${folder}`, {
      hint: `chmod 700 ${folder}`,
    })
  }
  if ((facts.mode & 0o055) === 0) return []
  return [`others than its owner may look into ${folder} (chmod 700 ${folder})`]
}

function makeFolder(disk: Disk, folder: string): void {
  if (disk.lookThrough(folder) !== undefined) return
  const parent = dirname(folder)
  if (parent !== folder) makeFolder(disk, parent)
  try {
    disk.makeFolder(folder)
    disk.syncFolder(parent)
  } catch (thrown) {
    if (!isPresent(thrown)) throw thrown
  }
}
