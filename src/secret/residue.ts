import { gcAndSweep } from 'bun:jsc'
import { publicKeyOf, sign } from './sign.ts'

/**
 * Overwrites the copies of keys that noble left in the heap of this thread: to be called before it
 * ends, because what a thread frees is given back to the system late or never. Each step was found
 * necessary by test/memscan.test.ts; none of it is promised by the engine.
 */
export function overwriteResidue(): void {
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

/** The same steps with keys that are none: no stale slot of the stack keeps a number alive then. */
function useOtherKeys(): void {
  for (let round = 1; round <= 50; round++) {
    const bytes = new Uint8Array(32).fill(round)
    sign({ key: 0, algorithm: 'ecdsa-secp256k1', message: bytes }, bytes)
    sign({ key: 0, algorithm: 'schnorr-bch', message: bytes }, bytes)
    sign({ key: 0, algorithm: 'ed25519', message: bytes }, bytes)
    publicKeyOf('secp256k1', bytes)
    publicKeyOf('ed25519', bytes)
  }
}

/** Numbers and arrays around a key have 32 to 97 bytes; strings of 64 and 80 come to lie there. */
function reuseFreedBlocks(): void {
  const strings: string[] = []
  for (let i = 0; i < 100_000; i++) {
    strings.push(Buffer.alloc(32, i).toString('hex'), Buffer.alloc(40, i).toString('hex'))
  }
}
