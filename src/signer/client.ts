import { type ErrorCode, KmsError } from '../base/errors.ts'
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

/**
 * Speaks to the signer over descriptor `fd`.
 *
 * @param onStop the signer asks for a clean end (it received a signal)
 * @param onEnd the signer is gone
 */
export function connectSigner(
  fd: number,
  { onStop, onEnd }: { onStop: () => void; onEnd: () => void },
): SignerClient {
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  const config = Promise.withResolvers<unknown>()
  const ready = Promise.withResolvers<void>()
  for (const { promise } of [config, ready]) promise.catch(() => {})
  let last = 0
  let ended = false

  const channel = openChannel(fd, {
    onFrame(n, body) {
      if (n === 0) return onNotice(body)
      const answer = waiting.get(n)
      waiting.delete(n)
      const fault = readFault(body)
      if (fault === undefined) answer?.resolve(asRecord(body)?.get('ok'))
      else answer?.reject(fault)
    },
    onEnd() {
      ended = true
      config.reject(signerGone())
      ready.reject(signerGone())
      for (const answer of waiting.values()) answer.reject(signerGone())
      waiting.clear()
      onEnd()
    },
  })

  const onNotice = (body: unknown): void => {
    const notice = asRecord(body)
    const type = notice?.get('type')
    if (type === 'config') config.resolve(notice?.get('config'))
    if (type === 'ready') ready.resolve()
    if (type === 'stop') onStop()
  }

  return {
    config: config.promise,
    ready: ready.promise,
    ask(question) {
      if (ended) return Promise.reject(signerGone())
      const n = ++last
      const answer = Promise.withResolvers<unknown>()
      waiting.set(n, answer)
      channel.send(n, encodeQuestion(question))
      // The signer is our own code behind a pipe we made: its answers have the shape asked for.
      return answer.promise as Promise<never>
    },
    close: () => channel.close(),
  }
}

function readFault(body: unknown): KmsError | undefined {
  const fault = asRecord(asRecord(body)?.get('fault'))
  if (fault === undefined) return undefined
  const code = asString(fault.get('code')) as ErrorCode
  return new KmsError(code, asString(fault.get('message')) ?? 'the signer refused')
}

function signerGone(): KmsError {
  return new KmsError('unexpected', 'the signer process has ended')
}
