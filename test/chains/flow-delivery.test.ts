import { describe, expect, test } from 'bun:test'
import { KmsError } from '../../src/base/errors.ts'
import type { Json } from '../../src/base/json.ts'
import type { ChainReads } from '../../src/base/model.ts'
import { flow } from '../../src/chains/flow.ts'
import { noReads, pendingOf } from '../support/evm.ts'
import { createFlowNetwork } from '../support/fake-chains/flow.ts'
import { completion, ownOf, payments, prepare, signaturesOf } from '../support/flow.ts'
import { flowTxId, readFlow } from '../support/flow-chain.ts'
import { recordedCases } from '../support/recorded-cases.ts'
import { refusal } from '../support/refusal.ts'

const { signal } = new AbortController()

// The access node of the sandbox knows the owner's keys: those of the recorded wallets.
const secret = Buffer.from(
  recordedCases('FLOW')
    .flatMap(({ wallets }) => Object.values(wallets))
    .find(({ privateKey }) => privateKey !== undefined)?.privateKey ?? '',
  'hex',
)
const own = ownOf('cadence1', 'testnet', secret)

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
    const world = createWorld()
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

describe('a payment whose fate is not clear', () => {
  const sealed = { status: 'Sealed', status_code: 0, error_message: '' }
  const unknown = undefined
  const block = (height: number) => [{ header: { id: 'c5'.repeat(32), height: `${height}` } }]
  /** Answers about a transaction that the node does not take. */
  const refusing = (fate: unknown, [from, now]: readonly [number, number]): Answers => ({
    'POST /v1/transactions': new KmsError('network', 'it is refused'),
    'GET /v1/transaction_results': fate,
    'GET /v1/blocks?height=sealed': block(now),
    'GET /v1/blocks/': block(from),
  })
  const submitting = async (answers: Answers) => {
    const made = createWorld()
    const final = await made.finished()
    const world = createWorld(answers)
    return { final, world, submission: world.submit(final.txData) }
  }

  test('is waited for until it is sealed', async () => {
    const fates = [unknown, 'Pending', 'Finalized', 'Executed', 'Sealed'].map(
      status => status && { ...sealed, status },
    )
    const made = createWorld()
    const final = await made.finished()
    const world = createWorld({ 'GET /v1/transaction_results': () => fates.shift() })
    world.network.sealed.set(final.txId, readFlow(final.txData))
    expect(await world.submit(final.txData)).toEqual({ kind: 'sent', txData: final.txId })
    expect(world.waits).toEqual([1_500, 1_500, 1_500, 1_500])
  })

  test('is not waited for without end, and its key is kept', async () => {
    const made = createWorld()
    const final = await made.finished()
    const world = createWorld({ 'GET /v1/transaction_results': { ...sealed, status: 'Executed' } })
    world.network.sealed.set(final.txId, readFlow(final.txData))
    await expect(world.submit(final.txData)).rejects.toThrow(refusal('network', /not sealed/))
    expect(world.waits.length).toBeLessThan(100)
    expect(world.released).toEqual([])
  })

  test('has arrived when the node knows it, though it takes it no more', async () => {
    const { final, submission } = await submitting(refusing(sealed, [1_000, 9_000]))
    expect(await submission).toEqual({ kind: 'sent', txData: final.txId })
  })

  test.each([
    ['failed', { ...sealed, status_code: 1, error_message: 'insufficient funds' }],
    ['failed', { ...sealed, error_message: 'insufficient funds' }],
    ['expired', { ...sealed, status: 'Expired' }],
    ['is unknown, long after its last block', unknown],
  ])('can never arrive any more when it %s', async (_what, fate) => {
    const { world, submission } = await submitting(refusing(fate, [1_000, 2_201]))
    expect(await submission).toEqual({ kind: 'expired' })
    expect(world.released).toEqual([{ txData: '', proposalKey: 0 }])
  })

  test('may still arrive before that', async () => {
    const { world, submission } = await submitting(refusing(unknown, [1_000, 2_200]))
    await expect(submission).rejects.toThrow('it is refused')
    expect(world.released).toEqual([])
  })

  test('is not given up by a node that does not know its block', async () => {
    const answers = { ...refusing(unknown, [1_000, 9_000]), 'GET /v1/blocks/': undefined }
    const { submission } = await submitting(answers)
    await expect(submission).rejects.toThrow('it is refused')
  })

  test.each([
    null,
    [[]],
    'Sealed',
    { status: 'Sealed' },
    { status: 'Sealed', error_message: '' },
    { status: 'Sealed', status_code: 0 },
    { ...sealed, status_code: '0' },
  ])('is not clear from a result like %j', async fate => {
    const { world, submission } = await submitting(refusing(fate, [1_000, 9_000]))
    await expect(submission).rejects.toThrow(refusal('network', /wrong shape/))
    expect(world.released).toEqual([])
  })

  test.each([[[]], [[{ header: {} }]], [[{ header: { height: 'high' } }]], [undefined]])(
    'is not clear from a block like %j',
    async block => {
      const answers = {
        ...refusing(unknown, [1_000, 9_000]),
        'GET /v1/blocks?height=sealed': block,
      }
      const { submission } = await submitting(answers)
      await expect(submission).rejects.toThrow(refusal('network', /wrong shape/))
    },
  )
})

describe('a node that calls the transaction something else', () => {
  const id = 'ee'.repeat(32)
  const result = (status_code: number) => ({ status: 'Sealed', status_code, error_message: '' })

  test('is not believed', async () => {
    const world = createWorld({
      'POST /v1/transactions': { id },
      'GET /v1/transaction_results': result(0),
    })
    const { txData } = await world.finished()
    const fault = refusal('network', /another transaction than it was given/)
    await expect(world.submit(txData)).rejects.toThrow(fault)
    expect(world.released).toEqual([])
  })

  test('is taken at its word with the scripts of the original, and the owner is told', async () => {
    const answers = {
      'POST /v1/transactions': { id },
      'GET /v1/transaction_results': result(0),
    }
    const world = createWorld(answers, ownOf('original', 'testnet', secret))
    const { txData } = await world.finished()
    expect(await world.submit(txData)).toEqual({ kind: 'sent', txData: id })
    expect(world.warned).toEqual(['transaction has another id'])
  })

  test('closes nothing', async () => {
    const answers = {
      'POST /v1/transactions': { id },
      'GET /v1/transaction_results': result(1),
    }
    const world = createWorld(answers, ownOf('original', 'testnet', secret))
    const { txData } = await world.finished()
    await expect(world.submit(txData)).rejects.toThrow(refusal('network', /another transaction/))
    expect(world.released).toEqual([])
  })

  test.each([null, {}, { id: '' }, { id: `0x${id}` }, { id: `${id}/../x` }, { id: 7 }])(
    'does so in an id, not in %j',
    async answer => {
      const world = createWorld({
        'POST /v1/transactions': answer,
        'GET /v1/transaction_results': undefined,
        'GET /v1/blocks?height=sealed': [{ header: { height: '1001' } }],
        'GET /v1/blocks/': [{ header: { height: '1000' } }],
      })
      const { txData } = await world.finished()
      await expect(world.submit(txData)).rejects.toThrow(refusal('network', /wrong shape/))
    },
  )
})

test('a key that cannot be given back is no reason to hold up a payment', async () => {
  const world = createWorld({ 'POST /v3/flow/broadcast': new KmsError('network', 'it is down') })
  const { txData, txId } = await world.finished()
  expect(await world.submit(txData)).toEqual({ kind: 'sent', txData: txId })
  expect(world.warned).toEqual(['proposal key not released'])
})

type Answers = Readonly<Record<string, unknown>>

/** The sandbox's network; `answers` come first: by request, or by what requests begin with. */
function createWorld(answers: Answers = {}, submitting = own) {
  const network = createFlowNetwork()
  const released: Json[] = []
  const warned: string[] = []
  const waits: number[] = []
  const answer = (request: string, body?: Json): unknown => {
    const names = Object.keys(answers).toSorted((a, b) => b.length - a.length)
    const name = names.find(start => request.startsWith(start))
    if (request === 'POST /v3/flow/broadcast' && body !== undefined) released.push(body)
    if (name === undefined) return network.answer(request, body)
    const given = answers[name]
    if (given instanceof KmsError) throw given
    return typeof given === 'function' ? given() : given
  }
  const reading = {
    get: async (path: string) => answer(`GET ${path}`),
    find: async (path: string) => answer(`GET ${path}`),
    post: async (path: string, body: Json) => answer(`POST ${path}`, body),
  }
  const reads: ChainReads = {
    ...noReads,
    ...reading,
    node: () => reading,
    warn: event => void warned.push(event),
    wait: async ms => void waits.push(ms),
  }
  const signed = async () => {
    const pending = pendingOf(flow, payments.transfer)
    const prepared = flow.prepare(pending, own, await flow.complete(pending, own, reads, signal))
    return prepared.seal(signaturesOf(prepared, secret))
  }
  const finish = async (txData: string) =>
    (await flow.finish?.(txData, own, reads, signal)) ?? never()
  return {
    network,
    reads,
    released,
    warned,
    waits,
    signed,
    finish,
    finished: async () => finish((await signed()).txData),
    submit: async (txData: string) =>
      (await flow.submit?.(txData, submitting, reads, signal)) ?? never(),
  }
}

function never(): never {
  throw new Error('there is none')
}
