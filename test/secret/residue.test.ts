import { afterEach, describe, expect, test } from 'bun:test'
import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { canScan, describeCopies, scanMemory } from '../support/memory-scan.ts'

let child: Bun.Subprocess<Uint8Array, 'pipe', 'inherit'> | undefined

afterEach(async () => {
  child?.kill('SIGKILL')
  await child?.exited
})

describe.skipIf(!canScan())(
  'after thousands of signatures on each curve, by more than one thread, and some rest',
  () => {
    test('of a key, and of what ed25519 makes of one, not a piece is left in memory', async () => {
      const ecdsa = randomKey()
      const eddsa = randomKey()
      const input = Buffer.concat([ecdsa, Buffer.from('\n'), eddsa, Buffer.from('\n')])
      const script = join(import.meta.dir, '../support/signing-process.ts')
      child = Bun.spawn([process.execPath, script], {
        stdin: input,
        stdout: 'pipe',
        stderr: 'inherit',
      })
      for await (const chunk of child.stdout) if (chunk.length > 0) break

      // RFC 8032, 5.1.5: the scalar and the prefix are as good as the key.
      const expanded = createHash('sha512').update(eddsa).digest()
      const scalar = expanded.subarray(0, 32)
      scalar[0] = (scalar[0] ?? 0) & 248
      scalar[31] = ((scalar[31] ?? 0) & 127) | 64
      const { copies, scannedBytes } = scanMemory(child.pid, [
        { name: 'secp256k1 key', bytes: ecdsa },
        { name: 'ed25519 key', bytes: eddsa },
        { name: 'ed25519 scalar', bytes: scalar },
        { name: 'ed25519 prefix', bytes: expanded.subarray(32) },
      ])
      expect(scannedBytes).toBeGreaterThan(2_000_000)
      expect(describeCopies(copies)).toEqual([])
    }, 30_000)
  },
)

/** Valid on both curves, and without what would end a line. */
function randomKey(): Uint8Array {
  return Uint8Array.from(randomBytes(32), byte => 32 + (byte % 200))
}
