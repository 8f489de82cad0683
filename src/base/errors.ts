/** Every way this program can fail, by name. `cli/exit.ts` gives each its exit status. */
export const errorCodes = [
  'unexpected',
  'usage',
  'partly-done',
  'vault-missing',
  'vault-busy',
  'wrong-password',
  'vault-damaged',
  'vault-rolled-back',
  'unsafe-permissions',
  'wallet-missing',
  'policy-denied',
  'approver-denied',
  'approver-unreachable',
  'network',
  'api-key-refused',
  'transaction-malformed',
  'transaction-refused',
  'too-early',
  'disk',
  'memory',
  'confinement',
  'interrupted',
  'terminated',
] as const

export type ErrorCode = (typeof errorCodes)[number]

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

/**
 * Where an internal fault came from: the class of what was thrown and the places in our own code.
 * Its message is left out: it may hold anything. Undefined for a fault that explains itself.
 */
export function diagnosisOf({ code, cause }: KmsError): string | undefined {
  if (code !== 'unexpected' || cause === undefined || cause instanceof KmsError) return undefined
  if (!(cause instanceof Error)) return `${typeof cause} was thrown`
  const { name } = cause.constructor
  const kind = /^\w{1,40}$/.test(name) ? name : 'Error'
  return [kind, ...ownFrames(cause)].join(' at ')
}

/** A message may span lines and look like frames: only what follows it is read. */
function ownFrames({ stack = '', message }: Error): readonly string[] {
  const start = stack.indexOf(message)
  if (start < 0) return []
  const frames = stack.slice(start + message.length)
  // A compiled program has chunks of a bundle in the place of source files.
  const place = /^ +at .*?((?:src|\$bunfs\/root)\/[\w./-]+:\d+:\d+)\)?$/gm
  return [...frames.matchAll(place)].slice(0, 8).map(([, where = '']) => where)
}

/** The fault as it is, or `unexpected` around whatever was thrown; the cause keeps the original. */
export function asKmsError(thrown: unknown): KmsError {
  if (thrown instanceof KmsError) return thrown
  return new KmsError('unexpected', 'internal fault', { cause: thrown })
}
