/**
 * Holds the line it reads from stdin as a careless program would, or reads it as ours does and wipes
 * it: for the test of the memory scanner. Says `ready` and waits.
 */
import { readSecretLine } from '../../src/secret/input.ts'

const line = readSecretLine(0)
const held: unknown[] = []
if (process.argv[2] === 'leaky') {
  const bytes = Buffer.alloc(line?.length ?? 0)
  line?.use(from => bytes.set(from))
  const hex = bytes.toString('hex')
  held.push(bytes, hex, BigInt(`0x${hex}`))
}
line?.wipe()
console.log('ready')
await Bun.sleep(60_000)
console.log(held.length)
