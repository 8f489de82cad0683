import { asKmsError } from '../base/errors.ts'
import type { Json } from '../base/json.ts'
import type { Channel } from './channel.ts'

/** Each has a node and a key open at most: together they fit locked memory many times. */
const maxUnderWay = 64
/** A question that is being answered is held in memory, and so is an answer until it is fetched. */
const maxBytesUnderWay = 32 * 2 ** 20
const maxBytesUnsent = 16 * 2 ** 20

export type Questions = {
  /** Takes one that came in so many bytes. */
  take(n: number, body: unknown, length: number): void
  /** All answers have been fetched. */
  goOn(): void
}

/**
 * The front's questions, and how many of them are worked on at a time: one that asks without end, or
 * does not fetch its answers, waits in the socket and fills nothing here.
 */
export function createQuestions(
  channel: Channel,
  answer: (body: unknown) => Promise<Json>,
): Questions {
  const waiting: Asked[] = []
  let underWay = 0
  let bytesUnderWay = 0
  let isReading = true

  const isFull = (): boolean =>
    underWay >= maxUnderWay ||
    bytesUnderWay >= maxBytesUnderWay ||
    channel.unsent() >= maxBytesUnsent

  const work = async ({ n, body, length }: Asked): Promise<void> => {
    underWay++
    bytesUnderWay += length
    sendAnswer(channel, n, await answer(body))
    underWay--
    bytesUnderWay -= length
    goOn()
  }
  const goOn = (): void => {
    while (!isFull()) {
      const next = waiting.shift()
      if (next === undefined) break
      void work(next)
    }
    if (isReading === !isFull()) return
    isReading = !isReading
    if (isReading) channel.resume()
    else channel.pause()
  }
  return {
    take(n, body, length) {
      waiting.push({ n, body, length })
      goOn()
    },
    goOn,
  }
}

type Asked = { readonly n: number; readonly body: unknown; readonly length: number }

/** An answer that fits no frame is a fault, too: the front would wait for it for ever. */
function sendAnswer(channel: Channel, n: number, said: Json): void {
  try {
    channel.send(n, said)
  } catch (thrown) {
    const { code, message } = asKmsError(thrown)
    channel.send(n, { fault: { code, message } })
  }
}
