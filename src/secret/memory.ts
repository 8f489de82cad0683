import { KmsError } from '../base/errors.ts'
import { setDumpable, setNoCoreDumps } from '../base/native.ts'
import {
  type GuardedPages,
  lockPages,
  mapPrivatePages,
  mapSecretPages,
  viewMemory,
  zeroMemory,
} from '../base/native-memory.ts'

/** Bytes in guarded, locked memory. After `release` they are zero and `bytes` is empty. */
export type LockedBytes = {
  readonly bytes: Uint8Array
  readonly address: number
  release(): void
}

/**
 * `locked` keeps secrets in ordinary locked pages even if the kernel offers memfd_secret: as long as
 * pages of that kind exist the machine cannot hibernate, and a test cannot look for secrets in them.
 */
export type SecretMemory = 'auto' | 'locked'

/** Part of an arena, in bytes from its start. */
type Run = { readonly start: number; readonly length: number }
/** `free`: in order, and joined where they touch, so that a large request finds them. */
type Arena = { readonly address: number; readonly free: Run[] }

/** Allocations start on a cache line of their own. */
const granule = 64
const arenaLength = 256 * 1024
/** More than any secret or scratch space of this program; a larger request is a fault in it. */
const largestRequest = 1 << 30

/** Arenas are never given back: a mapping that is gone would crash whoever still held its address. */
const arenas: Arena[] = []
let pageKind: SecretMemory = 'auto'
let lockFailure: string | undefined

/** `size` zeroed bytes that reach no swap, no core dump and no child. */
export function allocateLocked(size: number): LockedBytes {
  if (!Number.isInteger(size) || size < 0 || size > largestRequest) {
    throw new KmsError('memory', `cannot allocate ${size} bytes of locked memory`)
  }
  const length = Math.max(Math.ceil(size / granule), 1) * granule
  for (const arena of arenas) {
    const start = take(arena, length)
    if (start !== undefined) return lend(arena, { start, length }, size)
  }
  const arena = openArena(Math.max(length, arenaLength))
  take(arena, length)
  return lend(arena, { start: 0, length }, size)
}

/** Why memory handed out so far may reach swap; undefined while every page of it is locked. */
export function lockingFailed(): string | undefined {
  return lockFailure
}

/** To be said before the first allocation. */
export function useSecretMemory(kind: SecretMemory): void {
  if (kind === pageKind) return
  if (arenas.length > 0) throw new KmsError('unexpected', 'secrets are in memory already')
  pageKind = kind
}

function openArena(length: number): Arena {
  if (arenas.length === 0) hideProcess()
  const pages = (pageKind === 'auto' && mapSecretPages(length)) || mapLockedPages(length)
  const arena = { address: pages.address, free: [{ start: 0, length: pages.length }] }
  arenas.push(arena)
  return arena
}

/** From the first secret on nobody else of this user looks in, and a crash leaves no image. */
function hideProcess(): void {
  setNoCoreDumps()
  setDumpable(false)
}

function mapLockedPages(length: number): GuardedPages {
  const pages = mapPrivatePages(length)
  lockFailure ??= lockPages(pages)
  return pages
}

/** First fit; answers where the run starts. */
function take({ free }: Arena, length: number): number | undefined {
  const at = free.findIndex(candidate => candidate.length >= length)
  const run = free[at]
  if (run === undefined) return undefined
  const rest = { start: run.start + length, length: run.length - length }
  free.splice(at, 1, ...(rest.length > 0 ? [rest] : []))
  return run.start
}

function lend(arena: Arena, run: Run, size: number): LockedBytes {
  const address = arena.address + run.start
  const bytes = viewMemory(address, size)
  let lent = true
  return {
    bytes,
    address,
    release() {
      if (!lent) return
      lent = false
      zeroMemory(address, run.length)
      detach(bytes)
      giveBack(arena, run)
    },
  }
}

/** Empties every view of the buffer, so that none can show the next secret at this address. */
function detach(bytes: Uint8Array): void {
  if (bytes.buffer instanceof ArrayBuffer && !bytes.buffer.detached) bytes.buffer.transfer(0)
}

function giveBack({ free }: Arena, { start, length }: Run): void {
  const next = free.findIndex(run => run.start > start)
  const at = next === -1 ? free.length : next
  const [before, after] = [free[at - 1], free[at]]
  const left = before !== undefined && endOf(before) === start ? before : undefined
  const right = after?.start === start + length ? after : undefined
  const joined = {
    start: left?.start ?? start,
    length: (left?.length ?? 0) + length + (right?.length ?? 0),
  }
  free.splice(left ? at - 1 : at, (left ? 1 : 0) + (right ? 1 : 0), joined)
}

function endOf({ start, length }: Run): number {
  return start + length
}
