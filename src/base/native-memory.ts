import { type Pointer, toArrayBuffer } from 'bun:ffi'
import { callFailed, errno, libc, linux } from './native-libc.ts'
import * as windows from './native-windows.ts'

const onMac = process.platform === 'darwin'
const onLinux = process.platform === 'linux'
const onWindows = process.platform === 'win32'

const MADV_DONTFORK = 10
const MADV_DONTDUMP = 16
const MADV_WIPEONFORK = 18

/** Pages between two pages that nobody may touch. Contents are zero. */
export type GuardedPages = { readonly address: number; readonly length: number }

/**
 * At least `length` bytes in memory that the kernel itself keeps out of its own map (memfd_secret,
 * Linux 5.14): no debugger, core dump or /proc/PID/mem shows it, and it is never swapped. Undefined
 * where the kernel does not offer it or the lock limit is used up.
 */
export function mapSecretPages(length: number): GuardedPages | undefined {
  if (!onLinux) return undefined
  const room = guardedRoom(length)
  const fd = Number(linux().syscall(447 /* SYS_memfd_secret */, 0x80000 /* O_CLOEXEC */))
  if (fd < 0) return undefined
  try {
    if (libc().ftruncate(fd, room.whole) !== 0) return undefined
    const base = Number(libc().mmap(0, room.whole, 0, 1 /* MAP_SHARED */, fd, 0))
    if (base === -1) return undefined
    const pages = openBetweenGuards(base, room)
    // Such pages stay shared over a fork, so a child must not have them at all.
    libc().madvise(pages.address, pages.length, MADV_DONTFORK)
    return pages
  } finally {
    libc().close(fd)
  }
}

/** At least `length` bytes of private memory, kept out of core dumps and wiped in forked children. */
export function mapPrivatePages(length: number): GuardedPages {
  if (onWindows) return windows.mapPrivatePages(length)
  const room = guardedRoom(length)
  const flags = 2 | (onMac ? 0x1000 : 0x20) // MAP_PRIVATE, MAP_ANON
  const base = Number(libc().mmap(0, room.whole, 0, flags, -1, 0))
  if (base === -1) throw callFailed('memory', `cannot reserve ${length} bytes of memory`)
  const pages = openBetweenGuards(base, room)
  if (onLinux) {
    libc().madvise(pages.address, pages.length, MADV_DONTDUMP)
    libc().madvise(pages.address, pages.length, MADV_WIPEONFORK)
  }
  return pages
}

type Room = { readonly guard: number; readonly inner: number; readonly whole: number }

function guardedRoom(length: number): Room {
  const guard = libc().getpagesize()
  const inner = Math.ceil(length / guard) * guard
  return { guard, inner, whole: inner + 2 * guard }
}

function openBetweenGuards(base: number, { guard, inner }: Room): GuardedPages {
  const address = base + guard
  if (libc().mprotect(address, inner, 3 /* PROT_READ | PROT_WRITE */) !== 0) {
    throw callFailed('memory', 'cannot open reserved memory')
  }
  return { address, length: inner }
}

/** Keeps the pages out of swap. Answers why that was refused, if it was. */
export function lockPages({ address, length }: GuardedPages): string | undefined {
  if (onWindows) return windows.lockPages(address, length)
  if (libc().mlock(address, length) === 0) return undefined
  return `mlock of ${length} bytes failed (errno ${errno()})`
}

/** Zeroes memory by its address, so that it works when the view of it is gone. */
export function zeroMemory(address: number, length: number): void {
  if (length === 0) return
  if (onWindows) windows.zeroMemory(address, length)
  else libc().memset(address, 0, length)
}

/** The bytes at `address`, not a copy. The caller knows that they are there, and for how long. */
export function viewMemory(address: number, length: number): Uint8Array {
  if (length === 0) return new Uint8Array(0)
  return new Uint8Array(toArrayBuffer(address as Pointer, 0, length))
}
