import { dirname, join, resolve } from 'node:path'
import { isatty } from 'node:tty'
import { KmsError } from '../../base/errors.ts'
import { secureUrl } from '../../base/http.ts'
import { chainNames } from '../../chains/names.ts'
import type { FrontConfig } from '../../daemon/config.ts'
import { launch } from '../../signer/launch.ts'
import { vaultExists } from '../../vault/vault.ts'
import type { Action } from '../action.ts'
import { chainList } from '../chain-argument.ts'
import type { Context } from '../context.ts'

const defaultApiUrl = 'https://api.tatum.io'

/** `daemon`: checks all it was told, starts the front, becomes the signer. */
export const daemon: Action = async context => {
  if (process.platform === 'win32') {
    throw new KmsError(
      'usage',
      'the daemon runs on linux and macOS; on windows use the other commands',
    )
  }
  const { network, place, secretMemory } = context
  const front = frontConfig(context)
  if (!vaultExists(place)) {
    throw new KmsError('vault-missing', `there is no vault at ${place.path}`, {
      hint: 'generatemanagedwallet or storemanagedwallet makes one',
    })
  }
  return launch({
    self: context.self,
    signer: {
      vaultPath: place.path,
      network,
      secretMemory,
      lockWaitMs: place.lockWaitMs,
      acceptRollback: context.isSet('accept-rollback'),
    },
    front,
    frontEnvironment: frontEnvironment(context),
    readPassword: context.password,
  })
}

function frontConfig(context: Context): FrontConfig {
  const { network, place } = context
  const apiUrl = context.variable('TATUM_API_URL') ?? defaultApiUrl
  const insecureHttp = context.isSet('insecure-http')
  secureUrl(apiUrl, { label: 'the Tatum API', insecureHttp })
  const chains = context.text('chain')
  return {
    apiUrl,
    apiKey: apiKey(context),
    approver: approver(context),
    insecureHttp,
    network,
    chains: chains === undefined ? chainNames.map(([id]) => id) : chainList(chains),
    periodMs: periodMs(context.text('period')),
    runOnce: context.isSet('run-once'),
    journalFolder: resolve(context.text('journal') ?? join(dirname(place.path), 'journal')),
    lockWaitMs: place.lockWaitMs,
    logAsJson: !isatty(2),
  }
}

function apiKey(context: Context): string {
  const key = context.text('api-key') ?? context.variable('TATUM_API_KEY')
  if (key === undefined || !/^[\x21-\x7e]{1,512}$/.test(key)) {
    throw new KmsError('usage', 'there is no usable Tatum API key', {
      hint: 'set TATUM_API_KEY, or give --api-key',
    })
  }
  return key
}

/** On main networks somebody else must agree to every payment, as with the original. */
function approver(context: Context): FrontConfig['approver'] {
  const url = context.text('external-url')
  const method = context.text('external-url-method') ?? 'GET'
  if (method !== 'GET' && method !== 'POST') {
    throw new KmsError('usage', '--external-url-method is GET or POST')
  }
  if (url === undefined) {
    if (context.network === 'testnet') return null
    throw new KmsError('usage', 'missing required flag --external-url', {
      hint: 'on main networks every payment needs an approval server',
    })
  }
  const label = 'the approval server'
  const { protocol, hostname } = secureUrl(url, { label, insecureHttp: true })
  if (protocol === 'http:' && hostname !== '127.0.0.1' && hostname !== 'localhost') {
    context.terminal.warn('the approval server is asked over http: its answer can be forged')
  }
  return { url, method }
}

function periodMs(text: string | undefined): number {
  const seconds = Number(text ?? '5')
  if (/^\d+(\.\d+)?$/.test(text ?? '5') && seconds > 0 && seconds <= 86_400) {
    return Math.max(1, Math.round(seconds * 1000))
  }
  throw new KmsError('usage', '--period is a number of seconds above 0, up to a day')
}

/** What Bun itself and the times in its log need: no password, no key, no proxy, no TLS override. */
function frontEnvironment({ variable }: Context): Readonly<Record<string, string>> {
  const allowed = ['PATH', 'LANG', 'TZ']
  return Object.fromEntries(
    allowed.flatMap(name => {
      const value = variable(name)
      return value === undefined ? [] : [[name, value]]
    }),
  )
}
