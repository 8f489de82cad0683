import { type Http, isThisMachine, request } from '../../base/http.ts'
import { lookAtSharedJournal } from '../../daemon/journal-postgres.ts'
import { randomUuid } from '../../secret/random.ts'
import { createTatumApi } from '../../tatum/api.ts'
import { clientVersion, type NewerVersion } from '../../tatum/latest-version.ts'
import type { Context } from '../context.ts'
import { version } from '../version.ts'
import { type Check, check, type Finding } from './check.ts'
import type { NetworkQuestions } from './network-questions.ts'

type World = Pick<Context, 'now' | 'sleep' | 'random'>

/** What those say who are asked, all at the same time. */
export async function askNetwork(
  questions: NetworkQuestions,
  world: World,
): Promise<readonly Check[]> {
  const { apiUrl, approverUrl, sharedJournal } = questions
  const asked = await Promise.all([
    apiUrl === null ? [] : api(apiUrl, questions, world),
    approverUrl === null ? [] : [check('approval server', () => approver(approverUrl, questions))],
    sharedJournal === null ? [] : [check('journal database', () => database(sharedJournal, world))],
  ])
  return Promise.all(asked.flat())
}

/** Short enough for a person who waits for three of them. */
const timeoutMs = 10_000

/** What an exchange told beside its answer. */
type Overheard = { clockAheadMs?: number; newer?: NewerVersion }

async function api(
  url: string,
  questions: NetworkQuestions,
  world: World,
): Promise<readonly Promise<Check>[]> {
  const overheard: Overheard = {}
  const found = await check('Tatum API', () => askApi(url, questions, world, overheard))
  const { clockAheadMs, newer } = overheard
  return [
    Promise.resolve(found),
    ...(clockAheadMs === undefined
      ? []
      : [check("clock and the API's", () => clockDifference(clockAheadMs))]),
    ...(newer === undefined ? [] : [check('protocol', () => newerProtocol(newer))]),
  ]
}

/** Lists what waits for a wallet that nobody has: what the daemon asks for all the time. */
async function askApi(
  baseUrl: string,
  { apiKey, insecureHttp, ...reach }: NetworkQuestions,
  world: World,
  overheard: Overheard,
): Promise<Finding> {
  const http = listening(reach, world.now, overheard)
  if (apiKey === null) {
    const label = 'the Tatum API'
    const asked = { method: 'GET', url: baseUrl, label, timeoutMs, insecureHttp } as const
    const { status } = await http(asked)
    return ['warning', `it answers (status ${status}), but there is no key`, 'set TATUM_API_KEY']
  }
  const tatum = createTatumApi({
    ...world,
    baseUrl,
    apiKey,
    version,
    insecureHttp,
    http,
    observer: {
      called() {},
      newerVersion(newer) {
        overheard.newer = newer
      },
    },
  })
  await tatum.pending('BTC', [randomUuid()])
  return ['ok', 'it answers and takes the API key']
}

type Reach = Pick<NetworkQuestions, 'authorities' | 'proxy'>

function listening({ authorities, proxy }: Reach, now: () => number, overheard: Overheard): Http {
  return async asked => {
    const sentAt = now()
    const response = await request({
      ...asked,
      timeoutMs,
      authorities: authorities ?? undefined,
      proxy: proxy ?? undefined,
    })
    const theirs = Date.parse(response.headers.get('date') ?? '')
    // RFC 9110, 5.6.7: in whole seconds, of a moment between the two of ours.
    if (!Number.isNaN(theirs)) overheard.clockAheadMs = (sentAt + now()) / 2 - theirs - 500
    return response
  }
}

const mostSeconds = 60

/** Signatures with a time in them, and expiries, go by it. */
export function clockDifference(aheadMs: number): Finding {
  const seconds = Math.round(Math.abs(aheadMs) / 1000)
  if (seconds <= mostSeconds) return ['ok', `they differ by ${seconds} s`]
  const how = aheadMs > 0 ? 'ahead of' : 'behind'
  return ['warning', `our clock is ${seconds} s ${how} theirs`, 'let NTP set the clock']
}

function newerProtocol({ version: theirs, grade, message }: NewerVersion): Finding {
  const said = [grade, message].filter(text => text !== '').join(', ')
  return [
    'warning',
    `Tatum knows version ${theirs} (${said}), this program speaks ${clientVersion}`,
    'see whether there is a newer tatum-kms',
  ]
}

/** Asked for no payment: whatever it says, it is there. */
async function approver(url: string, { authorities, proxy }: NetworkQuestions): Promise<Finding> {
  const { status } = await request({
    method: 'GET',
    url,
    label: 'the approval server',
    timeoutMs,
    insecureHttp: true,
    authorities: authorities ?? undefined,
    proxy: proxy ?? undefined,
  })
  if (status >= 500) return ['warning', `it answers with status ${status}`, 'look at its own log']
  const { protocol, hostname } = new URL(url)
  if (protocol === 'https:' || isThisMachine(hostname))
    return ['ok', `it answers (status ${status})`]
  return ['warning', 'it answers over http: its answer can be forged', 'give it an https address']
}

async function database(
  place: NonNullable<NetworkQuestions['sharedJournal']>,
  { sleep }: World,
): Promise<Finding> {
  const isThere = await lookAtSharedJournal(place, sleep)
  return [
    'ok',
    isThere ? 'it answers, and has a journal' : 'it answers; the daemon makes a journal',
  ]
}
