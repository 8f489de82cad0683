import type { Curve, PublicKey, Signature, SigningRequest } from '../base/model.ts'
import { viewMemory } from '../base/native-memory.ts'
import { overwriteResidue } from './residue.ts'
import { privateKeyLength, publicKeyOf, sign } from './sign.ts'

/** Work on the private key at `address`, which stays locked until the answer is back. */
export type KeyTask =
  | { readonly kind: 'sign'; readonly address: number; readonly request: SigningRequest }
  | {
      readonly kind: 'publicKey'
      readonly address: number
      readonly curve: Curve
      readonly compressed: boolean
    }

/** Null where the key could not be used; why is not told: it could hold a part of the key. */
export type KeyResult = Signature | PublicKey | null

declare const self: Worker

/**
 * The thread in which noble meets private keys. noble copies a key into BigInts and strings, which
 * are freed but never wiped; they are overwritten before this thread ends, when it is sent no tasks.
 */
self.onmessage = ({ data }: MessageEvent<readonly KeyTask[]>) => {
  if (data.length === 0) overwriteResidue()
  self.postMessage(data.map(perform))
}

function perform(task: KeyTask): KeyResult {
  const key = viewMemory(task.address, privateKeyLength(curveOf(task)))
  try {
    switch (task.kind) {
      case 'sign':
        return sign(task.request, key)
      case 'publicKey':
        return publicKeyOf(task.curve, key, task.compressed)
    }
  } catch {
    return null
  }
}

function curveOf(task: KeyTask): Curve {
  if (task.kind === 'publicKey') return task.curve
  const { algorithm } = task.request
  if (algorithm === 'ed25519' || algorithm === 'ed25519-bip32') return algorithm
  return 'secp256k1'
}
