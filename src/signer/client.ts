import { type ErrorCode, errorCodes, KmsError } from '../base/errors.ts'
import { asRecord, asString } from '../base/json.ts'
import { openChannel } from './channel.ts'
import { type Answers, encodeQuestion, type Question } from './messages.ts'

/** The front's side of the pipe. */
export type SignerClient = {
  ask<Q extends Question>(question: Q): Promise<Answers[Q['type']]>
  /** What the main process gave the front to go by, before it became the signer. */
  readonly config: Promise<unknown>
  /** Resolves when the signer has opened the vault, rejects when it ended before. */
  readonly ready: Promise<void>
  close(): void
}

export type SignerEvents = {
  /** The signer asks for a clean end: it received a signal. */
  readonly onStop: () => void
  /** The signer has read the policy: this is what it makes of the settings of chains. */
  readonly onSettings?: (chainSettings: unknown) => void
  /** The signer is gone, or has not answered in time. Called once. */
  readonly onEnd: (fault: KmsError) => void
}

/** Far beyond any answer, the key thread's own deadline included. */
const defaultAnswerWithinMs = 120_000

/** Speaks to the signer over descriptor `fd`. */
export function connectSigner(
  fd: number,
  { onStop, onSettings, onEnd }: SignerEvents,
  answerWithinMs = defaultAnswerWithinMs,
): SignerClient {
  const waiting = new Map<number, Waiting>()
  const config = Promise.withResolvers<unknown>()
  const ready = Promise.withResolvers<void>()
  for (const { promise } of [config, ready]) promise.catch(() => {})
  let last = 0
  let ended: KmsError | undefined

  const channel = openChannel(fd, {
    onFrame(n, body) {
      if (n === 0) return onNotice(body)
      const answer = waiting.get(n)
      waiting.delete(n)
      clearTimeout(answer?.deadline)
      const fault = readFault(body)
      if (fault === undefined) answer?.resolve(asRecord(body)?.get('ok'))
      else answer?.reject(fault)
    },
    onEnd: () => end(new KmsError('unexpected', 'the signer process has ended')),
  })

  const end = (fault: KmsError): void => {
    if (ended !== undefined) return
    ended = fault
    for (const { deadline } of waiting.values()) clearTimeout(deadline)
    for (const { reject } of [config, ready, ...waiting.values()]) reject(fault)
    waiting.clear()
    onEnd(fault)
  }

  /** A signer that hangs is of no use: its end of the pipe tells it to end, too. */
  const giveUp = (): void => {
    end(new KmsError('unexpected', 'the signer process does not answer'))
    channel.close()
  }

  const onNotice = (body: unknown): void => {
    const notice = asRecord(body)
    const type = notice?.get('type')
    if (type === 'config') config.resolve(notice?.get('config'))
    if (type === 'ready') ready.resolve()
    if (type === 'failed') ready.reject(startFault(notice?.get('code')))
    if (type === 'settings') onSettings?.(notice?.get('chainSettings'))
    if (type === 'stop') onStop()
  }

  return {
    config: config.promise,
    ready: ready.promise,
    ask(question) {
      if (ended !== undefined) return Promise.reject(ended)
      const n = ++last
      const answer = Promise.withResolvers<unknown>()
      try {
        channel.send(n, encodeQuestion(question))
      } catch (fault) {
        return Promise.reject(fault)
      }
      waiting.set(n, { ...answer, deadline: setTimeout(giveUp, answerWithinMs) })
      // The signer is our own code behind a pipe we made: its answers have the shape asked for.
      return answer.promise as Promise<never>
    },
    close: () => channel.close(),
  }
}

type Waiting = PromiseWithResolvers<unknown> & { readonly deadline: Timer }

type Timer = ReturnType<typeof setTimeout>

/** The signer has said the rest where it says such things. */
function startFault(code: unknown): KmsError {
  const known = errorCodes.find(each => each === code) ?? 'unexpected'
  return new KmsError(known, 'the signer could not start', { hint: 'its own log says why' })
}

function readFault(body: unknown): KmsError | undefined {
  const fault = asRecord(asRecord(body)?.get('fault'))
  if (fault === undefined) return undefined
  const code = asString(fault.get('code')) as ErrorCode
  return new KmsError(code, asString(fault.get('message')) ?? 'the signer refused')
}
