/** Every way this program can fail, by name. `cli/exit.ts` gives each its exit status. */
export type ErrorCode =
  | 'unexpected'
  | 'usage'
  | 'partly-done'
  | 'vault-missing'
  | 'vault-busy'
  | 'wrong-password'
  | 'vault-damaged'
  | 'vault-rolled-back'
  | 'unsafe-permissions'
  | 'wallet-missing'
  | 'policy-denied'
  | 'approver-denied'
  | 'approver-unreachable'
  | 'network'
  | 'api-key-refused'
  | 'transaction-malformed'
  | 'transaction-refused'
  | 'disk'
  | 'memory'
  | 'interrupted'
  | 'terminated'

/**
 * A fault, said so that a person can act on it.
 *
 * `message` says what we were doing and to what: lower case, no full stop, never a secret, a
 * payload or a URL. `hint` is one thing to try next.
 */
export class KmsError extends Error {
  override readonly name = 'KmsError'
  readonly code: ErrorCode
  readonly hint: string | undefined

  constructor(
    code: ErrorCode,
    message: string,
    { cause, hint }: { cause?: unknown; hint?: string } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.hint = hint
  }
}

/** The fault as it is, or `unexpected` around whatever was thrown; the cause keeps the original. */
export function asKmsError(thrown: unknown): KmsError {
  if (thrown instanceof KmsError) return thrown
  return new KmsError('unexpected', 'internal fault', { cause: thrown })
}
