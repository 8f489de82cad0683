import { KmsError } from '../base/errors.ts'
import { allocateLocked, type LockedBytes } from './memory.ts'

/**
 * Private bytes: in locked memory, lent to a callback, wiped by `using`, never text.
 *
 * The symbol is phantom. It makes TypeScript refuse what would turn a secret into text: a template
 * (TS2731), `+ ''` (TS2469), a log field, an assignment to Uint8Array. Where types do not reach, at
 * run time, the conversion throws, inspection prints [secret] and cloning sees nothing.
 */
export type Secret = SecretBuffer & symbol

/** `length` zero bytes, to be filled by `use`. */
export function allocateSecret(length: number): Secret {
  return new SecretBuffer(allocateLocked(length)) as unknown as Secret
}

/** `length` bytes as `fill` writes them; nothing of them stays behind when it refuses. */
export function filledSecret(length: number, fill: (bytes: Uint8Array) => void): Secret {
  const secret = allocateSecret(length)
  try {
    secret.use(fill)
    return secret
  } catch (fault) {
    secret.wipe()
    throw fault
  }
}

/** Moves `bytes` into locked memory: the source is wiped. */
export function secretFrom(bytes: Uint8Array): Secret {
  try {
    const secret = allocateSecret(bytes.length)
    secret.use(to => to.set(bytes))
    return secret
  } finally {
    bytes.fill(0)
  }
}

/** Wipes what nobody disposed of. A net, not a plan: when it happens is up to the collector. */
const forgotten = new FinalizationRegistry<LockedBytes>(memory => memory.release())

class SecretBuffer {
  readonly #memory: LockedBytes
  #length: number
  #wiped = false

  constructor(memory: LockedBytes) {
    this.#memory = memory
    this.#length = memory.bytes.length
    forgotten.register(this, memory, this)
  }

  get length(): number {
    return this.#length
  }

  /**
   * Where the first byte is, for a worker. Good until `wipe`: from here on the collector, which sees
   * no use in an address, keeps its hands off, and only the owner ends this secret.
   */
  get address(): number {
    this.#refuseWiped()
    forgotten.unregister(this)
    return this.#memory.address
  }

  /** Lends the bytes for the call. They must not outlive it, so no promise may come of it. */
  use<T>(work: (bytes: Uint8Array) => T): T {
    this.#refuseWiped()
    const bytes = this.#memory.bytes.subarray(0, this.#length)
    const result = work(bytes)
    if (outlives(result, bytes)) {
      throw new KmsError('unexpected', 'a secret was lent to something that outlives the call')
    }
    return result
  }

  /** Shortens to the first `length` bytes and wipes the others. */
  shrink(length: number): void {
    this.#refuseWiped()
    if (!Number.isInteger(length) || length < 0 || length > this.#length) {
      throw new KmsError(
        'unexpected',
        `a secret of ${this.#length} bytes cannot shrink to ${length}`,
      )
    }
    this.#memory.bytes.fill(0, length)
    this.#length = length
  }

  wipe(): void {
    if (this.#wiped) return
    this.#wiped = true
    this.#length = 0
    this.#memory.release()
    forgotten.unregister(this)
  }

  [Symbol.dispose](): void {
    this.wipe()
  }

  toString(): never {
    throw textRefused()
  }

  toJSON(): never {
    throw textRefused()
  }

  [Symbol.toPrimitive](): never {
    throw textRefused()
  }

  /** What node:util and Bun print. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]'
  }

  #refuseWiped(): void {
    if (this.#wiped) throw new KmsError('unexpected', 'a secret was used after it was wiped')
  }
}

function outlives(result: unknown, bytes: Uint8Array): boolean {
  if (typeof result !== 'object' || result === null) return false
  if (ArrayBuffer.isView(result)) return result.buffer === bytes.buffer
  return 'then' in result && typeof result.then === 'function'
}

function textRefused(): KmsError {
  return new KmsError('unexpected', 'a secret was about to become text')
}
