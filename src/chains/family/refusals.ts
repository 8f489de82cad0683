import { KmsError } from '../../base/errors.ts'

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
