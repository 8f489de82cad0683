import { KmsError } from '../base/errors.ts'
import { readCredential } from '../password/source.ts'
import type { Context } from './context.ts'
import { environmentVariable } from './variables.ts'

/** Of the Tatum API: from the command line, from systemd's credential `tatum-api-key`, or a variable. */
export function apiKey({ text, variable }: Pick<Context, 'text' | 'variable'>): string {
  const key = text('api-key') ?? credential() ?? variable('TATUM_API_KEY')
  if (key !== undefined && isApiKey(key)) return key
  throw new KmsError('usage', 'there is no usable Tatum API key', {
    hint: 'set TATUM_API_KEY, or give --api-key',
  })
}

/** One word that fits a header of HTTP. */
export function isApiKey(text: string): boolean {
  return /^[\x21-\x7e]{1,512}$/.test(text)
}

function credential(): string | undefined {
  const folder = environmentVariable('CREDENTIALS_DIRECTORY')
  using key = folder === undefined ? undefined : readCredential(folder, 'tatum-api-key')
  return key?.use(bytes => Buffer.from(bytes).toString('latin1'))
}
