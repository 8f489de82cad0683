import { equalBytes } from '../base/bytes.ts'
import { KmsError } from '../base/errors.ts'
import type { Secret } from '../secret/secret.ts'

/** A new password, given twice: a mistyped one would lock its owner out for ever. */
export function equalPair(first: () => Secret, second: () => Secret): Secret {
  const password = first()
  try {
    using repeated = second()
    if (password.use(a => repeated.use(b => equalBytes(a, b)))) return password
    throw new KmsError('usage', 'the two passwords are not the same')
  } catch (fault) {
    password.wipe()
    throw fault
  }
}
