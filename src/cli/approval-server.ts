import { KmsError } from '../base/errors.ts'
import { isThisMachine, secureUrl } from '../base/http.ts'
import type { FrontConfig } from '../daemon/config.ts'
import { parseApproverKey } from '../guard/approver-key.ts'
import { type ApprovalRules, noApprovers } from '../guard/signed-verdicts.ts'
import type { Context } from './context.ts'

/** On main networks somebody else must agree to every payment, as with the original. */
export function approvalServer(context: Context): FrontConfig['approver'] {
  const url = context.text('external-url')
  const rules = approvalRules(context)
  const isSigned = rules.keys.length > 0
  const method = context.text('external-url-method') ?? (isSigned ? 'POST' : 'GET')
  if (method !== 'GET' && method !== 'POST') {
    throw new KmsError('usage', '--external-url-method is GET or POST')
  }
  if (isSigned && method === 'GET') {
    throw new KmsError('usage', 'with --approver-key the approval server is asked by POST')
  }
  if (url === undefined) {
    if (context.network === 'testnet' && !isSigned) return null
    throw new KmsError('usage', 'missing required flag --external-url', {
      hint: isSigned
        ? '--approver-key is for the answers of an approval server'
        : 'on main networks every payment needs an approval server',
    })
  }
  const label = 'the approval server'
  const { protocol, hostname } = secureUrl(url, { label, insecureHttp: true })
  // The id is put at the end: there it would be no part of the path, and any payment the same.
  if (/[?#]/.test(url)) {
    throw new KmsError('usage', '--external-url ends in a path: it takes no query and no fragment')
  }
  if (protocol === 'http:' && !isThisMachine(hostname)) {
    const risk = isSigned ? 'anybody on the way reads what it is told' : 'its answer can be forged'
    context.terminal.warn(`the approval server is asked over http: ${risk}`)
  }
  return { url, method, rules }
}

/** More than anybody has people to ask. */
const maxKeys = 32

/** Whose signatures payments need, from `--approver-key` and `--approvals`. */
export function approvalRules({ text }: Pick<Context, 'text'>): ApprovalRules {
  const given = text('approver-key')?.split(',')
  const approvals = text('approvals')
  if (given === undefined) {
    if (approvals === undefined) return noApprovers
    throw new KmsError('usage', '--approvals counts the keys of --approver-key: there are none')
  }
  const keys = given.map(parseApproverKey).filter(key => key !== undefined)
  if (keys.length < given.length) {
    throw new KmsError('usage', '--approver-key is an Ed25519 public key: 64 hex digits, or base64')
  }
  if (new Set(keys).size < keys.length) {
    throw new KmsError('usage', '--approver-key has a key twice: it could agree only once')
  }
  if (keys.length > maxKeys) throw new KmsError('usage', `--approver-key: at most ${maxKeys} keys`)
  // All of them, until the owner says how many are enough.
  const count = approvals ?? `${keys.length}`
  if (/^[1-9]\d?$/.test(count) && Number(count) <= keys.length) {
    return { keys, approvals: Number(count) }
  }
  throw new KmsError('usage', `--approvals is from 1 to ${keys.length}, the number of keys`)
}
