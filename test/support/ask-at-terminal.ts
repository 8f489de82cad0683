import { asKmsError } from '../../src/base/errors.ts'
import { promptSource } from '../../src/password/source.ts'
import { revealedText } from './secret.ts'

/** Asks for a password and prints what came of it, for `prompt.test.ts`. */
try {
  using password = promptSource.read(process.argv[2] === 'new')
  console.log(JSON.stringify({ password: revealedText(password) }))
} catch (thrown) {
  const { code, message } = asKmsError(thrown)
  console.log(JSON.stringify({ code, message }))
}
