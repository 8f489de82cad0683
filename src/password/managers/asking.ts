import { KmsError } from '../../base/errors.ts'
import type { Http, HttpRequest, HttpResponse } from '../../base/http.ts'
import { asRecord, asString, parseJson } from '../../base/json.ts'
import type { ManagerName, VariableOf } from './names.ts'

/** Asks again by itself, a few times, where that makes sense. */
type WithHttp = { readonly http: Http }

/** What a secret manager's client may use of the world. */
export type Asking<Name extends ManagerName> = WithHttp & {
  variable(name: VariableOf<Name>): string | undefined
  /** The text of the small file that a variable names, such as a token; undefined when it is unset. */
  fileOf(name: VariableOf<Name>): string | undefined
  now(): number
}

/** Answers the vault's password as it is stored. */
export type AskManager<Name extends ManagerName> = (asking: Asking<Name>) => Promise<string>

/** Looks up variables that must be there; all that are missing are named at once. */
export function requireVariables<Name extends ManagerName, Wanted extends VariableOf<Name>>(
  { variable }: Pick<Asking<Name>, 'variable'>,
  names: readonly Wanted[],
): (name: Wanted) => string {
  const values = new Map(names.map(name => [name, variable(name) ?? '']))
  const missing = names.filter(name => values.get(name) === '')
  if (missing.length > 0) {
    throw new KmsError(
      'usage',
      `${missing.join(', ')} ${missing.length > 1 ? 'are' : 'is'} not set`,
    )
  }
  return name => values.get(name) ?? ''
}

export type Question = Omit<HttpRequest, 'timeoutMs' | 'maxBytes' | 'signal' | 'authorities'> & {
  /** What the owner should look at when the answer is no, or when nobody answers. */
  readonly check: string
  readonly timeoutMs?: number
  /** Says more about a refusal; the text is the other side's and must not be repeated. */
  readonly explain?: (text: string) => KmsError | undefined
}

const timeoutMs = 10_000
/** The largest secret of any of the managers is 64 KiB, JSON in JSON. */
const maxBytes = 256 * 1024

/** The text of a good answer. Anything else is one sentence and what to check. */
export async function ask(
  { http }: WithHttp,
  { check, explain, ...asked }: Question,
): Promise<string> {
  const { label, headers = {} } = asked
  refuseUnsendable(Object.values(headers), label)
  const response = await http({ timeoutMs, maxBytes, ...asked }).catch(thrown => {
    throw withHint(thrown, check)
  })
  if (response.status >= 200 && response.status < 300) return response.text
  throw explain?.(response.text) ?? refusalOf(response, label, check)
}

/** The answer as JSON, an object. */
export async function askForRecord(
  asking: WithHttp,
  question: Question,
): Promise<ReadonlyMap<string, unknown>> {
  const record = asRecord(parseJson(await ask(asking, question)))
  if (record !== undefined) return record
  throw unreadable(question)
}

/** An answer that is not what this service answers. */
export function unreadable({ label, check }: Pick<Question, 'label' | 'check'>): KmsError {
  return new KmsError('network', `${label} answered with something else than was asked for`, {
    hint: check,
  })
}

/** A text that must be in an answer. */
export function textMember(
  record: ReadonlyMap<string, unknown> | undefined,
  name: string,
  question: Pick<Question, 'label' | 'check'>,
): string {
  const text = asString(record?.get(name))
  if (text !== undefined && text !== '') return text
  throw unreadable(question)
}

/** What was stored as the password. `what` says which part of the secret that is. */
export function passwordText(value: unknown, what: string, hint: string): string {
  if (typeof value === 'string' && value !== '') return value
  throw new KmsError('usage', `${what} ${faultOf(value)}`, { hint })
}

function faultOf(value: unknown): string {
  if (value === undefined) return 'is not there'
  return value === '' ? 'is empty' : 'is not text'
}

/**
 * Addresses that never leave the machine or its host: the metadata services of the clouds are there
 * and speak http only.
 */
export function isLinkLocal(url: string): boolean {
  const host = URL.parse(url)?.hostname ?? ''
  return /^169\.254(\.\d{1,3}){2}$/.test(host) || /^\[fd00:ec2::[\da-f]{1,4}\]$/.test(host)
}

function refuseUnsendable(values: readonly string[], label: string): void {
  if (values.every(value => /^[\x20-\x7e]*$/.test(value))) return
  throw new KmsError('usage', `a credential for ${label} holds a character that cannot be sent`, {
    hint: 'look for line breaks and letters outside of ASCII in the variables and token files',
  })
}

function withHint(thrown: unknown, hint: string): unknown {
  if (!(thrown instanceof KmsError) || thrown.hint !== undefined) return thrown
  return new KmsError(thrown.code, thrown.message, { cause: thrown, hint })
}

/** A 4xx is for the owner to put right; all else is a matter of the network or of the service. */
function refusalOf({ status }: HttpResponse, label: string, hint: string): KmsError {
  const isOwners = status >= 400 && status < 500 && status !== 429
  return new KmsError(isOwners ? 'usage' : 'network', `${label} ${described(status)}`, { hint })
}

function described(status: number): string {
  if (status >= 300 && status < 400) return 'answered with a redirect, which is never followed'
  if (status === 404) return 'does not know what was asked for'
  if (status === 401 || status === 403) return `refused access (${status})`
  if (status === 429 || status < 300 || status >= 500) return `answered ${status}`
  return `refused the request (${status})`
}
