import { KmsError } from '../base/errors.ts'
import { secureUrl } from '../base/http.ts'
import type { FrontConfig } from '../daemon/config.ts'
import type { Context } from './context.ts'

/** On main networks somebody else must agree to every payment, as with the original. */
export function approvalServer(context: Context): FrontConfig['approver'] {
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
