import type { Disk } from '../../src/base/disk.ts'
import type { FileFacts, OpenFile } from '../../src/base/open-file.ts'

/**
 * A disk in memory that knows what a power cut leaves: contents only as far as they were synced,
 * and of the names changed since their folder was synced any selection, in POSIX's worst case.
 */
export type MemoryDisk = Disk & {
  /** What programs see now. */
  files(): Files
  /** Every state the disk may be in when the power is cut now. */
  afterPowerCut(): readonly Files[]
  /** Contents of every file there ever was, removed ones included. */
  remains(): readonly Uint8Array[]
}

export type Files = ReadonlyMap<string, Uint8Array>

type Inode = { readonly id: number; seen: Uint8Array; synced: Uint8Array }
type Names = Map<string, Inode>
type NameChange = (names: Names) => void

/** @param forgets what a broken program or disk would leave out, to see that the tests notice */
export function memoryDisk(start: Files, forgets?: 'sync' | 'syncFolder'): MemoryDisk {
  const inodes: Inode[] = []
  const make = (bytes: Uint8Array): Inode => {
    const inode = { id: inodes.length, seen: bytes.slice(), synced: bytes.slice() }
    inodes.push(inode)
    return inode
  }
  const names: Names = new Map([...start].map(([path, bytes]) => [path, make(bytes)]))
  let durable: Names = new Map(names)
  let pending: NameChange[] = []
  const change = (apply: NameChange) => {
    apply(names)
    pending.push(apply)
  }
  const find = (path: string): Inode => {
    const inode = names.get(path)
    if (inode === undefined) throw systemError('ENOENT')
    return inode
  }
  const linksOf = (inode: Inode) => [...names.values()].filter(other => other === inode).length
  const fileOf = (inode: Inode) => openInode(inode, () => linksOf(inode), forgets === 'sync')

  return {
    user: () => 0,
    create(path) {
      if (names.has(path)) throw systemError('EEXIST')
      const inode = make(new Uint8Array())
      change(to => to.set(path, inode))
      return fileOf(inode)
    },
    open: path => fileOf(find(path)),
    look: path => (names.has(path) ? fileOf(find(path)).stat() : undefined),
    lookThrough: () => undefined,
    rename(from, to) {
      const inode = find(from)
      change(all => {
        all.set(to, inode)
        all.delete(from)
      })
    },
    unlink(path) {
      find(path)
      change(all => all.delete(path))
    },
    list: folder => [...names.keys()].map(path => path.slice(folder.length + 1)),
    makeFolder: () => {},
    syncFolder() {
      if (forgets === 'syncFolder') return
      durable = new Map(names)
      pending = []
    },
    tryLock: () => () => {},
    files: () => new Map([...names].map(([path, inode]) => [path, inode.seen.slice()])),
    afterPowerCut: () => crashes(durable, pending),
    remains: () => inodes.map(inode => inode.seen),
  }
}

function openInode(inode: Inode, links: () => number, forgetsSync: boolean): OpenFile {
  return {
    stat: (): FileFacts => ({
      kind: 'file',
      mode: 0o600,
      uid: 0,
      gid: 0,
      size: inode.seen.length,
      links: links(),
      identity: String(inode.id),
    }),
    read(into, position) {
      const part = inode.seen.subarray(position, position + into.length)
      into.set(part)
      return part.length
    },
    write(bytes, position) {
      const grown = new Uint8Array(Math.max(inode.seen.length, position + bytes.length))
      grown.set(inode.seen)
      grown.set(bytes, position)
      inode.seen = grown
      return bytes.length
    },
    sync() {
      if (!forgetsSync) inode.synced = inode.seen.slice()
    },
    chown: () => {},
    close: () => {},
  }
}

/** Each selection of the pending name changes, with unsynced contents lost and half written. */
function crashes(durable: Names, pending: readonly NameChange[]): readonly Files[] {
  const states: Files[] = []
  for (let selection = 0; selection < 2 ** pending.length; selection++) {
    const names = new Map(durable)
    for (const [i, apply] of pending.entries()) if ((selection >> i) & 1) apply(names)
    states.push(new Map([...names].map(([path, { synced }]) => [path, synced.slice()])))
    states.push(new Map([...names].map(([path, inode]) => [path, halfWritten(inode)])))
  }
  return states
}

function halfWritten({ seen, synced }: Inode): Uint8Array {
  if (seen.length === synced.length && seen.every((byte, i) => byte === synced[i])) return synced
  const half = seen.length >> 1
  return Uint8Array.from([...seen.subarray(0, half), ...synced.subarray(half)])
}

/**
 * `fail`: one call fails and does nothing. `tear`: a write does half, then fails. `power`: from
 * that call on nothing works any more.
 */
export type Fault = 'fail' | 'tear' | 'power'

/** Lets `steps` calls through, then the fault comes; `ranOut` tells whether it did. */
export function faultyDisk(
  disk: Disk,
  steps: number,
  fault: Fault,
): { readonly disk: Disk; ranOut(): boolean } {
  let calls = 0
  const isFaulty = () => {
    calls++
    return fault === 'power' ? calls > steps : calls === steps + 1
  }
  const wrapFile = (file: OpenFile): OpenFile =>
    intercept(file, (name, call) => {
      if (name === 'close' || !isFaulty()) return call()
      if (fault !== 'tear' || name !== 'write') throw systemError('ENOSPC')
      call(([bytes, position]) => [
        bytes instanceof Uint8Array ? bytes.subarray(0, bytes.length >> 1) : bytes,
        position,
      ])
      throw systemError('EIO')
    })
  const wrapped = intercept(disk, (name, call) => {
    if (isFaulty()) throw systemError('ENOSPC')
    const answer = call()
    return name === 'create' || name === 'open' ? wrapFile(answer as OpenFile) : answer
  })
  return { disk: wrapped, ranOut: () => calls > steps }
}

/** Every write takes at most `most` bytes, as write(2) may. */
export function shortWrites(disk: Disk, most: number): Disk {
  return intercept(disk, (name, call) => {
    const answer = call()
    if (name !== 'create') return answer
    return intercept(answer as OpenFile, (operation, go) =>
      operation === 'write'
        ? go(([bytes, position]) => [(bytes as Uint8Array).subarray(0, most), position])
        : go(),
    )
  })
}

type Arguments = readonly unknown[]
type Call = (adapt?: (given: Arguments) => Arguments) => unknown

/** The same object with `around` about each of its methods. */
function intercept<T extends object>(target: T, around: (name: string, call: Call) => unknown): T {
  return new Proxy(target, {
    get(_, name) {
      const method: unknown = Reflect.get(target, name)
      if (typeof method !== 'function' || typeof name !== 'string') return method
      return (...given: Arguments) =>
        around(name, adapt => Reflect.apply(method, target, adapt ? adapt(given) : given))
    },
  })
}

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code })
}
