import { utf8 } from '../../base/bytes.ts'
import { askChild } from '../../base/child.ts'
import { KmsError } from '../../base/errors.ts'
import { asArray, asRecord, asString, parseJson } from '../../base/json.ts'
import { apiUrlOf } from '../api-url.ts'
import type { Context } from '../context.ts'
import { frontVariables } from '../front-variables.ts'
import { reachingOut } from '../reaching-out.ts'
import { sharedJournal } from '../shared-journal.ts'
import { type Check, check, type Finding, results } from './check.ts'
import { encodeQuestions, type NetworkQuestions } from './network-questions.ts'

/**
 * Asks those a daemon would talk to, as far as they are configured. To be called before the password
 * is read: a process of its own does it, which gets neither that nor the way to the vault, and is
 * gone when this returns.
 */
export function checkNetwork(context: Context): readonly Promise<Check>[] {
  try {
    const questions = questionsOf(context)
    if (questions === undefined) return [check('network', () => notAsked(context))]
    return ask(context.self, questions).map(found => Promise.resolve(found))
  } catch (fault) {
    return [
      check('network', () => {
        throw fault
      }),
    ]
  }
}

function notAsked({ isSet }: Context): Finding {
  if (isSet('offline')) return ['skipped', 'nobody was asked, as --offline says']
  const hint = '--online asks the Tatum API all the same, --external-url names the approval server'
  return ['skipped', 'no API key is set, and nobody else to ask: nobody was asked', hint]
}

/** Undefined where nobody is to be asked. */
function questionsOf(context: Context): NetworkQuestions | undefined {
  const { text, variable, isSet } = context
  const apiKey = text('api-key') ?? variable('TATUM_API_KEY') ?? null
  const approverUrl = text('external-url') ?? null
  const journal = sharedJournal(context)
  const asksApi = apiKey !== null || isSet('online')
  if (isSet('offline') || (!asksApi && approverUrl === null && journal === null)) return undefined
  return {
    apiUrl: asksApi ? apiUrlOf(context) : null,
    apiKey,
    approverUrl,
    sharedJournal: journal,
    insecureHttp: isSet('insecure-http'),
    ...reachingOut(context),
  }
}

/** Longer than all attempts at all of them, which are asked at the same time. */
const timeoutMs = 60_000

function ask(self: Context['self'], questions: NetworkQuestions): readonly Check[] {
  const { answer, status, isLate } = askChild([...self, 'ask-network'], frontVariables(), {
    question: utf8(encodeQuestions(questions)),
    timeoutMs,
  })
  const checks = status === 0 ? asArray(parseJson(answer))?.map(decodeCheck) : undefined
  if (checks?.every(found => found !== undefined)) return checks
  const how = isLate ? `took longer than ${timeoutMs / 1000} s` : 'has failed'
  throw new KmsError('network', `the process that asks over the network ${how}`)
}

function decodeCheck(value: unknown): Check | undefined {
  const record = asRecord(value)
  const [name, about, hint] = ['name', 'about', 'hint'].map(member => sentence(record?.get(member)))
  const result = results.find(known => known === record?.get('result'))
  if (name === undefined || about === undefined || result === undefined) return undefined
  return { name, result, about, ...(hint !== undefined && { hint }) }
}

/** That process reads what strangers send: of what it says one line without control characters. */
function sentence(value: unknown): string | undefined {
  const text = asString(value)
  return text !== undefined && /^[\x20-\x7e]{1,600}$/.test(text) ? text : undefined
}
