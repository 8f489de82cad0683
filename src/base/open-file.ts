import {
  closeSync,
  constants,
  fchownSync,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  type Stats,
  writeSync,
} from 'node:fs'

/** A file by its descriptor: whatever happens to its name, this stays the same file. */
export type OpenFile = {
  stat(): FileFacts
  /** Answers how many bytes came; 0 at the end. */
  read(into: Uint8Array, position: number): number
  /** Answers how many bytes went; it may be fewer than given. */
  write(bytes: Uint8Array, position: number): number
  sync(): void
  chown(owner: Owner): void
  /** Never fails: what was to last is synced by then, and the descriptor is gone either way. */
  close(): void
}

export type Owner = { readonly uid: number; readonly gid: number }

export type FileFacts = Owner & {
  readonly kind: 'file' | 'folder' | 'link' | 'other'
  /** Permission bits only. */
  readonly mode: number
  readonly size: number
  /** How many names it has. */
  readonly links: number
  /** The same for two looks at one file, and for no other file while it exists. */
  readonly identity: string
}

export type ReadAt = OpenFile['read']

export function openFile(fd: number): OpenFile {
  return {
    stat: () => factsOf(fstatSync(fd)),
    read: (into, position) => readSync(fd, into, 0, into.length, position),
    write: (bytes, position) => writeSync(fd, bytes, 0, bytes.length, position),
    sync: () => fsyncSync(fd),
    chown: ({ uid, gid }) => fchownSync(fd, uid, gid),
    close: () => closeQuietly(fd),
  }
}

function closeQuietly(fd: number): void {
  try {
    closeSync(fd)
  } catch {
    // A fault on its way to the caller would be lost behind this one.
  }
}

export function factsOf(stats: Stats): FileFacts {
  return {
    kind: kindOf(stats),
    mode: stats.mode & 0o7777,
    uid: stats.uid,
    gid: stats.gid,
    size: stats.size,
    links: stats.nlink,
    // Numbers of files are used again; a change of its contents moves the last two.
    identity: `${stats.dev}:${stats.ino}:${stats.size}:${stats.ctimeMs}`,
  }
}

function kindOf(stats: Stats): FileFacts['kind'] {
  if (stats.isFile()) return 'file'
  if (stats.isDirectory()) return 'folder'
  return stats.isSymbolicLink() ? 'link' : 'other'
}

/** Makes names that came, went or changed in `folder` outlive a power cut. */
export function syncFolder(folder: string): void {
  // Windows has no such call and keeps names by itself.
  if (process.platform === 'win32') return
  const file = openFile(openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY))
  try {
    file.sync()
  } finally {
    file.close()
  }
}

/** Reads bytes as if they were a file. */
export function readerOf(bytes: Uint8Array): ReadAt {
  return (into, position) => {
    const part = bytes.subarray(position, position + into.length)
    into.set(part)
    return part.length
  }
}

/** Up to `length` bytes from `position`; fewer only when the end comes first. */
export function readUpTo(read: ReadAt, position: number, length: number): Uint8Array {
  return fill(new Uint8Array(length), read, position)
}

/** The part of `bytes` that was filled. */
function fill(bytes: Uint8Array, read: ReadAt, position: number): Uint8Array {
  let at = 0
  while (at < bytes.length) {
    const count = read(bytes.subarray(at), position + at)
    if (count === 0) break
    at += count
  }
  return bytes.subarray(0, at)
}

const piece = 1 << 20

/** Copies to the end, piece by piece: a large file costs no memory of its size. */
export function copyInto(file: OpenFile, read: ReadAt): void {
  const buffer = new Uint8Array(piece)
  for (let position = 0; ; position += piece) {
    const bytes = fill(buffer, read, position)
    writeAll(file, bytes, position)
    if (bytes.length < piece) return
  }
}

export function sameContents(one: ReadAt, other: ReadAt): boolean {
  const buffers = [new Uint8Array(piece), new Uint8Array(piece)] as const
  for (let position = 0; ; position += piece) {
    const bytes = fill(buffers[0], one, position)
    if (Buffer.compare(bytes, fill(buffers[1], other, position)) !== 0) return false
    if (bytes.length < piece) return true
  }
}

/** All of `bytes`: write(2) may take fewer at a time. */
function writeAll(file: OpenFile, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.length; ) at += file.write(bytes.subarray(at), position + at)
}
