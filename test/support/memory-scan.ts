import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { type Marked, type Needle, needleLength, needlesOf } from './needles.ts'

/** One copy of a secret, whole or in part, in one form. */
export type Copy = {
  readonly secret: string
  readonly form: string
  readonly address: number
  /** How many of the form's bytes stand here. */
  readonly length: number
  readonly mapping: Mapping
}

export type Mapping = {
  readonly start: number
  readonly end: number
  /** As in proc(5) maps: `rw-p`. */
  readonly permissions: string
  /** A path, `[heap]`, `[stack]`, or `anonymous`. */
  readonly name: string
  readonly isLocked: boolean
}

export type Scan = {
  readonly copies: readonly Copy[]
  readonly scannedBytes: number
  /** What the kernel does not show: memfd_secret, pages that went away meanwhile. */
  readonly hidden: readonly Mapping[]
}

/** Whether this process may read another's memory though that is not dumpable (CAP_SYS_PTRACE). */
export function canScan(): boolean {
  if (process.platform !== 'linux') return false
  const status = readFileSync('/proc/self/status', 'latin1')
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'
  return (BigInt(`0x${effective}`) & (1n << 19n)) !== 0n
}

/** Looks for every form of every secret in all memory of a process. It is not stopped meanwhile. */
export function scanMemory(pid: number, secrets: readonly Marked[]): Scan {
  const search = createSearch(secrets.flatMap(needlesOf))
  const memory = openSync(`/proc/${pid}/mem`, 'r')
  const pagemap = openSync(`/proc/${pid}/pagemap`, 'r')
  const copies: Copy[] = []
  const hidden = new Set<Mapping>()
  let scannedBytes = 0
  try {
    for (const mapping of mappingsOf(pid)) {
      // The pages of a file that nobody can write to are the file's: words stand in the binary, too.
      if (mapping.name.startsWith('/') && !mapping.permissions.includes('w')) continue
      for (const run of presentRuns(pagemap, mapping)) {
        const bytes = readRun(memory, run)
        if (bytes.length < run.end - run.start) hidden.add(mapping)
        scannedBytes += bytes.length
        for (const { at, ...copy } of search(bytes)) {
          copies.push({ ...copy, address: run.start + at, mapping })
        }
      }
    }
  } finally {
    closeSync(memory)
    closeSync(pagemap)
  }
  return { copies, scannedBytes, hidden: [...hidden] }
}

/** One line for each copy, naming where it stands. */
export function describeCopies(copies: readonly Copy[]): readonly string[] {
  return copies.map(({ secret, form, length, address, mapping }) => {
    const lock = mapping.isLocked ? 'locked ' : ''
    const place = `${lock}${mapping.name} ${mapping.permissions}`
    return `${secret}: ${length} bytes of its ${form} form at ${address.toString(16)} in ${place}`
  })
}

function mappingsOf(pid: number): readonly Mapping[] {
  const blocks = readFileSync(`/proc/${pid}/smaps`, 'latin1').split(/\n(?=[0-9a-f]+-[0-9a-f]+ )/)
  return blocks.flatMap(block => {
    const head = /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)$/m.exec(block)
    const [, start = '', end = '', permissions = '', name = ''] = head ?? []
    const flags = /^VmFlags: (.*)$/m.exec(block)?.[1]?.trim().split(' ') ?? []
    // The kernel's own pages (vvar, vsyscall) hold nothing of ours and may not be read.
    if (!permissions.startsWith('r') || /^\[v/.test(name)) return []
    return {
      start: Number.parseInt(start, 16),
      end: Number.parseInt(end, 16),
      permissions,
      name: name || 'anonymous',
      isLocked: flags.includes('lo'),
    }
  })
}

type Run = { readonly start: number; readonly end: number }

const pageLength = 4096
/** Reservations of many gigabytes are nearly empty: only pages that are there are read. */
const pagesAtOnce = 1 << 17
/** Longest run that is read as one piece. */
const longestRun = 1 << 26

function* presentRuns(pagemap: number, mapping: Mapping): Iterable<Run> {
  let start: number | undefined
  // What was never written to is as in the file: test vectors stand in the binary, which has a selftest.
  const isOwnFile = mapping.name.startsWith('/') && mapping.permissions.endsWith('p')
  for (let at = mapping.start; at < mapping.end; at += pagesAtOnce * pageLength) {
    const count = Math.min(pagesAtOnce, (mapping.end - at) / pageLength)
    const entries = new Uint32Array(count * 2)
    readSync(pagemap, entries, 0, count * 8, (at / pageLength) * 8)
    for (let i = 0; i < count; i++) {
      const address = at + i * pageLength
      // proc(5) pagemap: bit 63 is "present", bit 62 "swapped", bit 61 "of a file, or shared".
      const bits = (entries[2 * i + 1] ?? 0) >>> 29
      const isPresent = bits >>> 1 !== 0 && !(isOwnFile && (bits & 1) === 1)
      if (isPresent && start === undefined) start = address
      else if (start !== undefined && (!isPresent || address - start >= longestRun)) {
        yield { start, end: address }
        // A needle may lie across the cut.
        start = isPresent ? address - needleLength + 1 : undefined
      }
    }
  }
  if (start !== undefined) yield { start, end: mapping.end }
}

/** What of it could be read, from its start on. */
function readRun(memory: number, { start, end }: Run): Uint8Array {
  const bytes = new Uint8Array(end - start)
  let done = 0
  while (done < bytes.length) {
    try {
      const count = readSync(memory, bytes, done, bytes.length - done, start + done)
      if (count === 0) break
      done += count
    } catch {
      break
    }
  }
  return bytes.subarray(0, done)
}

type Found = Omit<Copy, 'address' | 'mapping'> & { readonly at: number }

/**
 * Wu and Manber's search for many needles of one length: the last two bytes of the window say how
 * far it can move without missing any.
 */
function createSearch(needles: readonly Needle[]): (bytes: Uint8Array) => readonly Found[] {
  const shifts = new Uint8Array(1 << 16).fill(needleLength - 1)
  const byEnd = new Map<number, Needle[]>()
  for (const needle of needles) {
    for (let i = 1; i < needleLength; i++) {
      const pair = pairAt(needle.bytes, i)
      shifts[pair] = Math.min(shifts[pair] ?? 0, needleLength - 1 - i)
    }
    const end = pairAt(needle.bytes, needleLength - 1)
    byEnd.set(end, [...(byEnd.get(end) ?? []), needle])
  }
  return bytes => {
    const found: { needle: Needle; at: number }[] = []
    for (let last = needleLength - 1; last < bytes.length; ) {
      const pair = pairAt(bytes, last)
      const shift = shifts[pair] ?? 0
      if (shift > 0) {
        last += shift
        continue
      }
      const at = last - needleLength + 1
      for (const needle of byEnd.get(pair) ?? []) {
        if (standsAt(bytes, at, needle.bytes)) found.push({ needle, at })
      }
      last++
    }
    return joinPieces(found)
  }
}

function pairAt(bytes: Uint8Array, i: number): number {
  return ((bytes[i - 1] ?? 0) << 8) | (bytes[i] ?? 0)
}

function standsAt(bytes: Uint8Array, at: number, needle: Uint8Array): boolean {
  for (let i = 0; i < needleLength; i++) if (bytes[at + i] !== needle[i]) return false
  return true
}

/** Pieces of one form that stand one behind the other are one copy. */
function joinPieces(found: readonly { needle: Needle; at: number }[]): readonly Found[] {
  const open = new Map<string, { secret: string; form: string; at: number; length: number }>()
  const copies: Found[] = []
  for (const { needle, at } of found) {
    const { secret, form, offset } = needle
    // Where the whole form would begin tells one copy from the next.
    const key = [secret, form, at - offset].join('/')
    const known = open.get(key)
    if (known !== undefined) {
      known.length = at + needleLength - known.at
      continue
    }
    const copy = { secret, form, at, length: needleLength }
    open.set(key, copy)
    copies.push(copy)
  }
  return copies
}
