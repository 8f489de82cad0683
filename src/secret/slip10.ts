import { u32 } from '../base/binary.ts'
import { hardened, malformedPath, stepsAroundIndex } from './derivation-path.ts'
import { hmac } from './kdf.ts'
import { filledSecret, type Secret } from './secret.ts'

/** A node of SLIP-10 on ed25519: 32 bytes key, then 32 bytes chain code. */
type ExtendedKey = Secret

/** The node of a seed at the steps of `path` before the index. The caller wipes it. */
export function deriveNode(seed: Secret, path: string): ExtendedKey {
  const { before } = stepsAroundIndex(path)
  using master = seed.use(bytes => hmac('sha512', seedKey, bytes))
  return descend(master, before)
}

/** Private key `index`, hardened, and the steps of `path` behind it: 32 bytes for the caller to wipe. */
export function childPrivateKey(node: ExtendedKey, path: string, index: number): Secret {
  const { behind } = stepsAroundIndex(path)
  using child = descend(node, [hardened + index, ...behind])
  return child.use(bytes => filledSecret(32, key => key.set(bytes.subarray(0, 32))))
}

const seedKey = new TextEncoder().encode('ed25519 seed')

/** Answers a node of its own, also for no step at all. */
function descend(from: ExtendedKey, steps: readonly number[]): ExtendedKey {
  let node = from.use(bytes => filledSecret(64, copy => copy.set(bytes)))
  for (const step of steps) {
    using parent = node
    node = childNode(parent, step)
  }
  return node
}

/** SLIP-10 defines hardened steps only on this curve, and every number has a key. */
function childNode(parent: ExtendedKey, number: number): ExtendedKey {
  if (number < hardened) throw malformedPath()
  return parent.use(bytes =>
    hmac('sha512', bytes.subarray(32), Uint8Array.of(0), bytes.subarray(0, 32), u32(number)),
  )
}
