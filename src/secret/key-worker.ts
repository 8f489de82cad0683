import type { Curve, PublicKey, Signature, SigningRequest } from '../base/model.ts'
import { viewMemory } from '../base/native-memory.ts'
import { publicKeyOfScalar } from './eddsa.ts'
import { proveSigning } from './known-answers.ts'
import { overwriteResidue } from './residue.ts'
import { privateKeyLength, publicKeyOf, sign } from './sign.ts'

/** What the thread is told. */
export type KeyMessage =
  | { readonly kind: 'perform'; readonly tasks: readonly KeyTask[] }
  | { readonly kind: 'overwrite' }

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

// Before it meets a key: a thread that gets this wrong ends here, as does each that follows it.
proveSigning()

/**
 * The thread in which noble meets private keys. noble copies a key into BigInts and strings, which
 * are freed but never wiped; they are overwritten before this thread ends.
 */
self.onmessage = ({ data: message }: MessageEvent<KeyMessage>) => {
  switch (message.kind) {
    case 'perform':
      self.postMessage(performAll(message.tasks))
      return
    case 'overwrite':
      overwriteResidue(useOtherKeys)
      self.postMessage([])
  }
}

function performAll(tasks: readonly KeyTask[]): readonly KeyResult[] {
  // A key stays where it is until the answer is back, and pays for many payments.
  const halves = new Map<number, Uint8Array>()
  return tasks.map(task => {
    performed.set(sortOf(task), task)
    return perform(task, viewMemory(task.address, privateKeyLength(curveOf(task))), halves)
  })
}

/** One task of each sort that this thread has met. */
const performed = new Map<string, KeyTask>()
/** Enough to leave numbers all over the memory that those of keys were in; and of each sort some. */
const otherUses = 200
const leastRounds = 50

/** The same work on keys that are none, to be overwritten by. */
function useOtherKeys(): void {
  const rounds = Math.max(otherUses / Math.max(performed.size, 1), leastRounds)
  for (let round = 1; round <= rounds; round++) {
    for (const task of performed.values()) {
      const key = new Uint8Array(privateKeyLength(curveOf(task))).fill(round)
      perform(task, key, new Map())
    }
  }
}

function sortOf(task: KeyTask): string {
  return `${task.kind} ${task.kind === 'sign' ? task.request.algorithm : task.curve}`
}

function perform(task: KeyTask, key: Uint8Array, halves: Map<number, Uint8Array>): KeyResult {
  try {
    switch (task.kind) {
      case 'sign':
        return sign(task.request, key, scalar => {
          const half = halves.get(task.address) ?? publicKeyOfScalar(scalar)
          halves.set(task.address, half)
          return half
        })
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
