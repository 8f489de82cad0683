import { describe, expect, test } from 'bun:test'
import type { KmsError } from '../../src/base/errors.ts'
import { socketPair } from '../../src/base/native.ts'
import { type Channel, openChannel } from '../../src/signer/channel.ts'
import { connectSigner, type SignerClient } from '../../src/signer/client.ts'
import { rejectionOf } from '../support/secret.ts'

type Pair = {
  readonly client: SignerClient
  readonly signer: Channel
  /** Numbers of the questions that arrived. */
  readonly asked: number[]
  readonly ends: KmsError[]
  readonly signerEnded: Promise<void>
}

function connect(answerWithinMs?: number): Pair {
  const [ours, theirs] = socketPair()
  const asked: number[] = []
  const ends: KmsError[] = []
  const { promise: signerEnded, resolve } = Promise.withResolvers<void>()
  const signer = openChannel(ours, { onFrame: n => asked.push(n), onEnd: resolve })
  const events = { onStop: () => {}, onEnd: (fault: KmsError) => ends.push(fault) }
  return { client: connectSigner(theirs, events, answerWithinMs), signer, asked, ends, signerEnded }
}

describe('a question', () => {
  test('that is not answered in time ends the pair, once', async () => {
    const { client, ends, signerEnded } = connect(50)
    const faults = await Promise.all(
      [1, 2].map(() => rejectionOf(() => client.ask({ type: 'reload' }))),
    )
    for (const { message } of faults) expect(message).toBe('the signer process does not answer')
    await signerEnded
    await Bun.sleep(100)
    expect(ends).toHaveLength(1)
    expect(await rejectionOf(() => client.ask({ type: 'reload' }))).toEqual(faults[0] as KmsError)
  })

  test('that is answered in time has no deadline any more', async () => {
    const { client, signer, asked, ends } = connect(100)
    const answer = client.ask({ type: 'reload' })
    while (asked.length === 0) await Bun.sleep(1)
    signer.send(asked[0] ?? 0, { ok: { changed: false } })
    expect(await answer).toEqual({ changed: false })
    await Bun.sleep(200)
    expect(ends).toEqual([])
    client.close()
  })

  test('that fits no frame is refused, is not waited for, and the next one is answered', async () => {
    const { client, signer, asked, ends } = connect(100)
    const large = { pending: 'x'.repeat(64 * 2 ** 20), completion: {} }
    const fault = await rejectionOf(() => client.ask({ type: 'sign', payments: [large] }))
    expect(fault.message).toBe('a frame is too large')
    await Bun.sleep(200)
    expect(ends).toEqual([])
    const answer = client.ask({ type: 'reload' })
    while (asked.length === 0) await Bun.sleep(1)
    signer.send(asked[0] ?? 0, { ok: { changed: true } })
    expect(await answer).toEqual({ changed: true })
    client.close()
  })

  test('to a signer that is gone is refused at once', async () => {
    const { client, signer, ends } = connect()
    const answer = rejectionOf(() => client.ask({ type: 'reload' }))
    signer.close()
    expect((await answer).message).toBe('the signer process has ended')
    expect(ends).toHaveLength(1)
  })
})

describe('a signer that will not be ready', () => {
  test.each([
    ['wrong-password', 'wrong-password'],
    ['no such code', 'unexpected'],
    [null, 'unexpected'],
  ])('says %j, and the front hears %s', async (code, heard) => {
    const { client, signer } = connect()
    signer.send(0, { type: 'failed', code })
    const fault = await rejectionOf(() => client.ready)
    expect([fault.code, fault.message]).toEqual([heard, 'the signer could not start'])
    client.close()
  })
})
