import { gcAndSweep } from 'bun:jsc'

/**
 * Overwrites the copies of keys that noble left in the heap of this thread: to be called before it
 * ends, because what a thread frees is given back to the system late or never. Each step was found
 * necessary by test/memscan.test.ts; none of it is promised by the engine.
 *
 * @param useOtherKeys does the work that keys were used for on bytes that are none, again and again:
 *   its numbers come to lie where theirs were, and no stale slot of the stack keeps one alive
 */
export function overwriteResidue(useOtherKeys: () => void): void {
  // The stack is searched for addresses conservatively: what one pass kept, the next ones find.
  for (let pass = 1; pass <= 4; pass++) {
    useOtherKeys()
    gcAndSweep()
    overwriteFreedMemory()
  }
}

/** Lays strings over freed memory, also over that of a thread that has ended. */
export function overwriteFreedMemory(): void {
  reuseFreedBlocks()
  gcAndSweep()
}

/** Numbers and arrays around a key have 32 to 97 bytes; strings of 64 and 80 come to lie there. */
function reuseFreedBlocks(): void {
  const strings: string[] = []
  for (let i = 0; i < 100_000; i++) {
    strings.push(new Uint8Array(32).fill(i).toHex(), new Uint8Array(40).fill(i).toHex())
  }
}
