import { KmsError } from '../../base/errors.ts'
import type { ChainSettings } from '../chain.ts'
import type { DenialName } from '../denials.ts'

export function malformed(message: string, cause?: unknown): KmsError {
  return new KmsError('transaction-malformed', message, { cause })
}

export function refused(message: string): KmsError {
  return new KmsError('transaction-refused', message)
}

/** What an owner's policy may allow, and nothing else does. */
export function denied(message: string): KmsError {
  return new KmsError('policy-denied', message)
}

/** One of the built-in denials; `reason` says what the transaction would do. */
export function denyUnlessLifted(
  { lifted }: Pick<ChainSettings, 'lifted'>,
  name: DenialName,
  reason: string,
): void {
  if (lifted.includes(name)) return
  throw denied(`${reason}: denied unless a policy lifts ${name}`)
}
