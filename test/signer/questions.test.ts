import { describe, expect, test } from 'bun:test'
import { closeSync } from 'node:fs'
import type { Json } from '../../src/base/json.ts'
import { socketPair, writeOut } from '../../src/base/native.ts'
import { type Channel, openChannel } from '../../src/signer/channel.ts'
import { createQuestions } from '../../src/signer/questions.ts'
import { encodeFrame } from '../../src/signer/wire.ts'

type Pipe = {
  readonly front: Channel
  /** What the front has heard, by the numbers of its questions. */
  readonly heard: Map<number, unknown>
  readonly ended: Promise<void>
}

/** Both ends of a pipe, with `answer` behind it. */
function connect(answer: (body: unknown) => Promise<Json>): Pipe {
  const [ours, theirs] = socketPair()
  const ended = serve(ours, answer)
  const heard = new Map<number, unknown>()
  const front = openChannel(theirs, {
    onFrame: (n, body) => heard.set(n, body),
    onEnd: () => {},
  })
  return { front, heard, ended }
}

/** As `run.ts` does. */
function serve(fd: number, answer: (body: unknown) => Promise<Json>): Promise<void> {
  const { promise: ended, resolve: onEnd } = Promise.withResolvers<void>()
  const channel = openChannel(fd, {
    onFrame: (n, body, length) => questions.take(n, body, length),
    onDrain: () => questions.goOn(),
    onEnd,
  })
  const questions = createQuestions(channel, answer)
  return ended
}

async function until(isSo: () => boolean): Promise<void> {
  for (let waited = 0; !isSo(); waited += 5) {
    if (waited > 20_000) throw new Error('waited in vain')
    await Bun.sleep(5)
  }
}

function ask({ front }: Pipe, count: number, body: Json): void {
  for (let n = 1; n <= count; n++) front.send(n, body)
}

const megabyte = 2 ** 20

describe('questions of a front that', () => {
  test('asks without end are answered, all of them, but a few at a time', async () => {
    let underWay = 0
    let most = 0
    const pipe = connect(async body => {
      most = Math.max(most, ++underWay)
      await Bun.sleep(0)
      underWay--
      return body as Json
    })
    ask(pipe, 20_000, 'question')
    await until(() => pipe.heard.size === 20_000)
    expect(most).toBe(64)
    pipe.front.close()
    await pipe.ended
  })

  test('asks much wait where they came from', async () => {
    const release = Promise.withResolvers<void>()
    let begun = 0
    const pipe = connect(async () => {
      begun++
      await release.promise
      return null
    })
    ask(pipe, 12, 'x'.repeat(4 * megabyte))
    await until(() => begun === 8)
    await Bun.sleep(300)
    expect(begun).toBe(8)
    expect(pipe.front.unsent()).toBeGreaterThan(2 * 4 * megabyte)
    release.resolve()
    await until(() => pipe.heard.size === 12)
  })

  test('fetches no answers are worked on no more, until it does', async () => {
    let begun = 0
    const pipe = connect(async () => {
      begun++
      return 'x'.repeat(megabyte / 4)
    })
    pipe.front.pause()
    ask(pipe, 200, 'question')
    await until(() => begun > 0)
    await Bun.sleep(300)
    expect(begun).toBeLessThan(150)
    pipe.front.resume()
    await until(() => pipe.heard.size === 200)
  })

  test('fetches no answers and ends do not keep the signer', async () => {
    const [ours, theirs] = socketPair()
    let begun = 0
    const ended = serve(ours, async () => {
      begun++
      return 'x'.repeat(megabyte / 4)
    })
    for (let n = 1; n <= 200; n++) writeOut(theirs, encodeFrame(n, 'question'))
    await until(() => begun >= 64)
    await Bun.sleep(100)
    closeSync(theirs)
    await ended
    expect(begun).toBeLessThan(150)
  })

  test('have an answer that fits no frame are told so, and the next one is answered', async () => {
    const pipe = connect(async body => (body === 'all' ? 'x'.repeat(64 * megabyte) : 'something'))
    ask(pipe, 1, 'all')
    pipe.front.send(2, 'some')
    await until(() => pipe.heard.size === 2)
    expect(pipe.heard.get(1)).toEqual({
      fault: { code: 'unexpected', message: 'a frame is too large' },
    })
    expect(pipe.heard.get(2)).toBe('something')
  })
})
