import { expect } from 'bun:test'
import { KmsError } from '../../src/base/errors.ts'
import type { PublicKeyOf } from '../../src/secret/hd.ts'
import { allocateSecret, type Secret } from '../../src/secret/secret.ts'
import { privateKeyLength, publicKeyOf } from '../../src/secret/sign.ts'

/** Text or bytes as the program holds them; the source stays as it is. */
export function secretOf(content: string | Uint8Array): Secret {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  const secret = allocateSecret(bytes.length)
  secret.use(to => to.set(bytes))
  return secret
}

/** A copy that tests may look at. */
export function revealed(secret: Secret): Uint8Array {
  const copy = new Uint8Array(secret.length)
  secret.use(bytes => copy.set(bytes))
  return copy
}

export function revealedText(secret: Secret): string {
  return Buffer.from(revealed(secret)).toString('latin1')
}

export function revealedHex(secret: Secret): string {
  return Buffer.from(revealed(secret)).toString('hex')
}

/** Public keys without a thread of their own; the real room has its own test. */
export const publicKeyHere: PublicKeyOf = async (curve, key, compressed) =>
  key.use(bytes => publicKeyOf(curve, bytes.subarray(0, privateKeyLength(curve)), compressed))

/** What the promise of `work` is rejected with, which must be a `KmsError`. */
export async function rejectionOf(work: () => Promise<unknown>): Promise<KmsError> {
  try {
    await work()
  } catch (thrown) {
    if (thrown instanceof KmsError) return thrown
    throw new Error('something else than a KmsError was thrown', { cause: thrown })
  }
  throw new Error('nothing was refused')
}

/** What `work` throws, which must be a `KmsError`. */
export function refusalOf(work: () => unknown): KmsError {
  try {
    work()
  } catch (thrown) {
    if (thrown instanceof KmsError) return thrown
    throw new Error('something else than a KmsError was thrown', { cause: thrown })
  }
  throw new Error('nothing was refused')
}

/** No part of the secret that is long enough to be one may be in anything an error shows. */
export function expectSilence({ message, hint, cause, stack }: KmsError, secret: string): void {
  const shown = [message, hint, stack, Bun.inspect(cause)].join('\n')
  for (let at = 0; at + 8 <= secret.length; at++) {
    expect(shown).not.toContain(secret.slice(at, at + 8))
  }
}
