import { join } from 'node:path'
import { utf8 } from '../../base/bytes.ts'
import { KmsError } from '../../base/errors.ts'
import { readInstalled } from '../../base/installed-files.ts'
import { promptSecret } from '../../password/prompt.ts'
import { type Secret, secretFrom } from '../../secret/secret.ts'
import { openVault, type VaultPlace, vaultExists } from '../../vault/vault.ts'
import { isApiKey } from '../api-key.ts'
import type { Context } from '../context.ts'
import { type Place, writeFiles } from './installation.ts'
import { credentials, vaultFile } from './layout.ts'
import { seal } from './seal.ts'

/**
 * Asks for what the service needs and is not sealed yet; answers what seals it. Everything is asked
 * for before anything is written.
 */
export function askCredentials(context: Context, place: Place): Disposable & { seal(): void } {
  const asked = new DisposableStack()
  const isNew = context.isSet('new-credentials')
  const { password, apiKey } = credentials
  const wanted = [
    { ...password, ask: () => askPassword(context) },
    { ...apiKey, ask: () => askApiKey(context) },
  ].filter(({ path }) => isNew || readInstalled(join(place.root, path)) === undefined)
  if (place.root !== '/') return { seal() {}, [Symbol.dispose]() {} }
  const secrets = wanted.map(({ name, path, ask }) => ({
    name,
    path,
    secret: place.isDryRun ? undefined : asked.use(ask()),
  }))
  return {
    seal() {
      for (const { name, path, secret } of secrets) {
        const text = secret === undefined ? '' : seal(name, secret)
        writeFiles([{ path, text, mode: 0o600 }], 'replace', place)
      }
    },
    [Symbol.dispose]: () => asked.dispose(),
  }
}

/** Of the vault if it is there, which it must open; else of one that will be made. */
function askPassword(context: Context): Secret {
  const vault: VaultPlace = { ...context.place, path: vaultFile }
  const password = context.passwordToPassOn(vault)
  try {
    if (vaultExists(vault)) openVault(vault, password)[Symbol.dispose]()
    return password
  } catch (fault) {
    password.wipe()
    throw fault
  }
}

function askApiKey({ variable }: Context): Secret {
  const set = variable('TATUM_API_KEY')
  const key = set === undefined ? promptSecret('Tatum API key') : secretFrom(utf8(set))
  if (key.use(bytes => isApiKey(Buffer.from(bytes).toString('latin1')))) return key
  key.wipe()
  throw new KmsError('usage', 'this is no Tatum API key')
}
