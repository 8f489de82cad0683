/**
 * Signs with the two keys it reads from stdin, a line each: 3,000 times with the first on secp256k1, in two ways,
 * and with the second on ed25519, through the key room. Wipes them, says `ready` when the room has
 * been idle, and waits to be looked at.
 */
import { readSecretLine } from '../../src/secret/input.ts'
import { openKeyRoom, type SignTask } from '../../src/secret/key-room.ts'
import { useSecretMemory } from '../../src/secret/memory.ts'

useSecretMemory('locked')
const first = readSecretLine(0)
const second = readSecretLine(0)
if (first === undefined || second === undefined) throw new Error('two keys are needed')
const room = openKeyRoom()
const tasks = Array.from({ length: 3_000 }, (_, i): readonly SignTask[] => {
  const message = new Uint8Array(32).fill(i)
  return [
    { key: first, request: { key: 0, algorithm: 'ecdsa-secp256k1', message } },
    { key: first, request: { key: 0, algorithm: 'schnorr-bch', message } },
    { key: second, request: { key: 1, algorithm: 'ed25519', message } },
  ]
}).flat()
const signatures = await room.signAll(tasks)
if (signatures.includes(null)) throw new Error('a key could not be used')
first.wipe()
second.wipe()
await Bun.sleep(5_000)
console.log('ready')
await Bun.sleep(60_000)
