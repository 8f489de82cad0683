import { describe, expect, test } from 'bun:test'
import { KmsError } from '../../src/base/errors.ts'
import type { Json } from '../../src/base/json.ts'
import type { ChainReads } from '../../src/base/model.ts'
import { flow } from '../../src/chains/flow.ts'
import { pendingOf } from '../support/evm.ts'
import { completion, payments, prepare, signaturesOf } from '../support/flow.ts'
import { flowTxId, readFlow } from '../support/flow-chain.ts'
import { type Answers, accountOf, createWorld, own, secret, signal } from '../support/flow-world.ts'
import { refusal } from '../support/refusal.ts'

describe('a payment from end to end', () => {
  test('is completed, signed by three, carried out once and told of by its id', async () => {
    const world = createWorld()
    const final = await world.finished()
    expect(await world.submit(final.txData)).toEqual({ kind: 'sent', txData: final.txId })
    expect(await world.submit(final.txData)).toEqual({ kind: 'sent', txData: final.txId })
    expect(final.txId).toBe(flowTxId(readFlow(final.txData)))
    expect([...world.network.sealed.keys()]).toEqual([final.txId])
    expect(world.released).toEqual([
      { txData: final.txId, proposalKey: 0 },
      { txData: final.txId, proposalKey: 0 },
    ])
  })

  test('two payments use two keys of the proposer, and the next one a key that is free', async () => {
    const world = createWorld()
    const [first, second] = [await world.finished(), await world.finished()]
    for (const { txData } of [first, second]) await world.submit(txData)
    const third = await world.finished()
    const keys = [first, second, third].map(({ txData }) => readFlow(txData).proposer)
    expect(keys).toMatchObject([
      { keyIndex: 0, sequenceNumber: 0 },
      { keyIndex: 1, sequenceNumber: 0 },
      { keyIndex: 0, sequenceNumber: 1 },
    ])
  })

  test('others add their signatures, and nothing else', async () => {
    const world = createWorld()
    const signed = await world.signed()
    const final = await world.finish(signed.txData)
    const blank = { payloadSignatures: [], envelopeSignatures: [] }
    const [before, after] = [readFlow(signed.txData), readFlow(final.txData)]
    expect({ ...after, ...blank }).toEqual({ ...before, ...blank })
    expect(after.payloadSignatures[1]).toEqual(before.payloadSignatures[1] ?? never())
  })
})

describe('completion', () => {
  const completing = (answers: Answers) => {
    const world = createWorld(answers)
    return {
      world,
      done: flow.complete(pendingOf(flow, payments.transfer), own, world.reads, signal),
    }
  }

  test('is what others lend, and a block', async () => {
    const { done } = completing({})
    expect(await done).toEqual({
      ...completion,
      referenceBlock: expect.stringMatching(/^[0-9a-f]{64}$/),
      proposerKeyId: '0',
      sequenceNumber: '0',
    })
  })

  test('does not come of a node of another network', async () => {
    const { done } = completing({ 'GET /v1/network/parameters': { chain_id: 'flow-mainnet' } })
    await expect(done).rejects.toThrow(refusal('network', /not one of flow-testnet/))
  })

  test('comes of a node that does not say what network it is of', async () => {
    const { done } = completing({ 'GET /v1/network/parameters': undefined })
    expect(await done).toHaveProperty('referenceBlock')
  })

  test.each([
    ['GET /v3/flow/proposal/true', null],
    ['GET /v3/flow/proposal/true', { keyId: 0, address: '0x8ac1' }],
    ['GET /v3/flow/proposal/false', { keyId: -1, address: completion.proposer }],
    ['GET /v3/flow/proposal/false', { keyId: 2 ** 32, address: completion.proposer }],
    ['GET /v1/blocks?height=final&expand=payload', []],
    ['GET /v1/blocks?height=final&expand=payload', [{ header: { id: 'c5' } }]],
  ])('does not come of %s with %j', async (request, answer) => {
    const { done, world } = completing({ [request]: answer })
    await expect(done).rejects.toThrow(refusal('network'))
    expect(world.released).toEqual([])
  })

  test.each([
    null,
    { keys: {} },
    { keys: [{ index: '1', sequence_number: '4' }] },
    { keys: [{ index: '0', sequence_number: '-4' }] },
    { keys: [{ index: '0', sequence_number: '99999999999999999999' }] },
  ])('does not come of an account like %j, and the key that was lent goes back', async answer => {
    const account = completion.proposer.slice(2)
    const query = 'block_height=sealed&expand=contracts,keys'
    const { done, world } = completing({ [`GET /v1/accounts/${account}?${query}`]: answer })
    await expect(done).rejects.toThrow(refusal('network', /the account of the proposer/))
    expect(world.released).toEqual([{ txData: '', proposalKey: 0 }])
    expect(world.network.lent.size).toBe(0)
  })
})

describe('finishing', () => {
  test.each([null, {}, { signature: '' }, { signature: 'ab'.repeat(63) }, { signature: 7 }])(
    'does not come of a signature like %j',
    async answer => {
      const world = createWorld({ 'POST /v3/flow/sign': answer })
      const { txData } = await world.signed()
      await expect(world.finish(txData)).rejects.toThrow(refusal('network', /gave no signature/))
    },
  )

  test.each(['', '0x', '0xc0', 'c0', '0xc3c0c0c0', `0x${'00'.repeat(500)}`, 'é'])(
    'does not take %p for signed bytes',
    async text => {
      const world = createWorld()
      await expect(world.finish(text)).rejects.toThrow(refusal('unexpected'))
      await expect(world.submit(text)).rejects.toThrow(refusal('unexpected'))
    },
  )

  test('asks the proposer for nothing when it pays with the same key', async () => {
    const asked: Json[] = []
    // The sandbox signs with the payer's key, whichever account it is for.
    const [paid] = accountOf(completion.payer).keys
    const world = createWorld({ 'GET /v1/accounts/': { keys: [{ ...paid, index: '17' }] } })
    const prepared = prepare(payments.transfer, own, {
      ...completion,
      payer: completion.proposer,
      payerKeyId: completion.proposerKeyId,
    })
    const { txData } = prepared.seal(signaturesOf(prepared, secret))
    const post: ChainReads['post'] = async (path, body) => {
      asked.push(body)
      return world.reads.post(path, body)
    }
    const final = await flow.finish?.(txData, own, { ...world.reads, post }, signal)
    expect(asked).toMatchObject([{ isPayer: true }])
    expect(readFlow(final?.txData ?? '').payloadSignatures).toHaveLength(1)
  })
})

test('a key that cannot be given back is no reason to hold up a payment', async () => {
  const world = createWorld({ 'POST /v3/flow/broadcast': new KmsError('network', 'it is down') })
  const { txData, txId } = await world.finished()
  expect(await world.submit(txData)).toEqual({ kind: 'sent', txData: txId })
  expect(world.warned).toEqual(['proposal key not released'])
})

function never(): never {
  throw new Error('there is none')
}
