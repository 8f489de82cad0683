import { homedir, hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { realDisk } from '../base/disk.ts'
import { KmsError } from '../base/errors.ts'
import { readGuarded } from '../base/guarded-file.ts'
import { isThisMachine } from '../base/http.ts'
import type { SharedPlace } from '../daemon/journal-postgres.ts'
import type { PostgresPlace } from '../daemon/postgres.ts'
import type { Context } from './context.ts'
import { readAuthorities } from './reaching-out.ts'
import { seconds } from './seconds.ts'
import { databasePassword, journalAddress } from './variables.ts'

type Given = Pick<Context, 'text' | 'variable' | 'privateVariable'>

/** The journal that several daemons share, where one is given; null where it is in a folder. */
export function sharedJournal(context: Given): SharedPlace | null {
  const lease = context.text('lease')
  const address = addressOf(context)
  if (address !== undefined) {
    return { ...placeOf(address, context), machine: machineName(), leaseMs: leaseMs(lease) }
  }
  if (lease === undefined) return null
  throw new KmsError('usage', '--lease is for a journal that daemons share: --journal postgres://…')
}

/** A folder that is given goes before the variable. */
function addressOf({ text, privateVariable }: Given): URL | undefined {
  const given = text('journal')
  if (given === undefined) {
    const set = privateVariable(journalAddress)
    return set === undefined ? undefined : parseAddress(set)
  }
  if (!isAddress(given)) return undefined
  const address = parseAddress(given)
  if (address.password === '') return address
  throw new KmsError(
    'usage',
    'a password on the command line is seen by all users of this machine',
    {
      hint: `give --journal without it, and set ${databasePassword}, or ${journalAddress} instead`,
    },
  )
}

/** Whether `--journal` names a database. */
export function isAddress(text: string): boolean {
  return /^postgres(ql)?:/i.test(text)
}

/** Never repeated: it may hold a password. */
function parseAddress(text: string): URL {
  const url = URL.parse(text)
  if (url !== null && isAddress(text) && url.hash === '') return url
  throw malformed()
}

const knownParameters = ['host', 'sslmode', 'sslrootcert']

function placeOf(url: URL, context: Given): PostgresPlace {
  const parameters = url.searchParams
  if ([...parameters.keys()].some(name => !knownParameters.includes(name))) {
    throw new KmsError('usage', "the journal's address has a parameter that is not known", {
      hint: `known are ${knownParameters.join(', ')}`,
    })
  }
  const host = parameters.get('host') ?? url.hostname.replace(/^\[|\]$/g, '')
  const place = {
    host,
    port: Number(url.port || '5432'),
    database: decoded(url.pathname.slice(1)),
    user: decoded(url.username),
  }
  const isComplete = host !== '' && place.database !== '' && place.user !== ''
  if (!isComplete || place.database.includes('/')) throw malformed()
  const password = decoded(url.password) || passwordFor(place, context) || null
  return { ...place, password, secure: securityOf(host, parameters) }
}

/** Without TLS everybody on the way could read and write what payments are made by. */
function securityOf(host: string, parameters: URLSearchParams): PostgresPlace['secure'] {
  const mode = parameters.get('sslmode')
  const file = parameters.get('sslrootcert')
  const isLocal = host.startsWith('/') || isThisMachine(host.includes(':') ? `[${host}]` : host)
  if (mode === 'disable' || (mode === null && isLocal && file === null)) {
    if (isLocal) return null
    throw new KmsError('usage', "refusing to talk to the journal's database without TLS", {
      hint: 'leave sslmode out, or set it to verify-full',
    })
  }
  if (mode !== null && mode !== 'require' && mode !== 'verify-full') {
    throw new KmsError('usage', 'sslmode is verify-full, or disable on this machine', {
      hint: 'the server always has to prove who it is: sslrootcert names its authority',
    })
  }
  return { authorities: file === null ? null : readAuthorities(resolve(file)) }
}

function passwordFor(place: Server, { variable, privateVariable }: Given): string | undefined {
  const set = privateVariable(databasePassword)
  if (set !== undefined) return set
  const path = variable('PGPASSFILE') ?? usualPassFile()
  const bytes = path === undefined ? undefined : readGuarded(realDisk, path, maxPassFile)
  if (bytes === undefined) return undefined
  try {
    return passwordIn(Buffer.from(bytes).toString('utf8'), place)
  } finally {
    bytes.fill(0)
  }
}

const maxPassFile = 64 * 1024

function usualPassFile(): string | undefined {
  try {
    return join(homedir(), '.pgpass')
  } catch {
    return undefined
  }
}

type Server = Pick<PostgresPlace, 'host' | 'port' | 'database' | 'user'>

/** Of a password file of PostgreSQL (its manual, 34.16): the first line that fits. */
export function passwordIn(
  text: string,
  { host, port, database, user }: Server,
): string | undefined {
  const wanted = [host, `${port}`, database, user]
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith('#')) continue
    const fields = [...line.matchAll(/((?:\\.|[^:\\])*)(:|$)/g)].map(([, field = '']) =>
      field.replaceAll(/\\(.)/g, '$1'),
    )
    const fits = wanted.every((each, i) => fields[i] === '*' || fields[i] === each)
    if (fits && fields[4]) return fields[4]
  }
  return undefined
}

function leaseMs(text: string | undefined): number {
  const ms = text === undefined ? 30_000 : seconds('--lease', text)
  if (ms >= 1_000 && ms <= 3_600_000) return ms
  throw new KmsError('usage', '--lease is 1 to 3600 seconds')
}

/** It stands in the journal, for people. */
function machineName(): string {
  return hostname()
    .replaceAll(/[^\w.-]/g, '_')
    .slice(0, 64)
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw malformed()
  }
}

function malformed(): KmsError {
  return new KmsError('usage', "the journal's address is not postgres://USER@HOST:PORT/DATABASE")
}
