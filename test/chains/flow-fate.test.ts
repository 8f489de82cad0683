import { describe, expect, test } from 'bun:test'
import { KmsError } from '../../src/base/errors.ts'
import { completion, ownOf } from '../support/flow.ts'
import { readFlow } from '../support/flow-chain.ts'
import { type Answers, createWorld, secret } from '../support/flow-world.ts'
import { refusal } from '../support/refusal.ts'

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
  /** The proposer's account, whose key 0 has proposed so many. */
  const proposed = (count: number) => ({ keys: [{ index: '0', sequence_number: `${count}` }] })
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

  const failure = (error_message: string) => ({ ...sealed, status_code: 1, error_message })
  const fates = [
    ['was not let in', failure('[Error Code: 1009] invalid envelope key')],
    ['came too late for its number', failure('[Error Code: 1007] invalid proposal key')],
    ['failed for a reason that is not named', failure('insufficient funds')],
    ['failed by an error without its code', { ...sealed, error_message: 'x [Error Code: 1101]' }],
    ['expired', { ...sealed, status: 'Expired' }],
    ['is unknown', unknown],
  ] as const

  test.each(fates)('can never arrive when it %s and its number is free', async (_what, fate) => {
    const { world, submission } = await submitting(refusing(fate, [1_000, 2_201]))
    expect(await submission).toEqual({ kind: 'expired' })
    expect(world.released).toEqual([{ txData: '', proposalKey: 0 }])
    // As of a block in which it can no longer be.
    const account = `/v1/accounts/${completion.proposer.slice(2)}`
    expect(world.asked).toContain(`GET ${account}?block_height=2201&expand=contracts,keys`)
  })

  test.each(fates)('stays open when it %s and its number is used up', async (_what, fate) => {
    const answers = { ...refusing(fate, [1_000, 9_000]), 'GET /v1/accounts/': proposed(1) }
    const { world, submission } = await submitting(answers)
    await expect(submission).rejects.toThrow(
      refusal('network', /used up, maybe by this payment under another id/),
    )
    expect(world.released).toEqual([])
  })

  test.each(fates.slice(0, -1))('may still arrive before that when it %s', async (_what, fate) => {
    const { world, submission } = await submitting(refusing(fate, [1_000, 2_200]))
    await expect(submission).rejects.toThrow(refusal('network', /and still may/))
    expect(world.released).toEqual([])
  })

  test.each([1, 2, 40])('is closed when its program failed, with number %d next', async next => {
    const fate = failure('[Error Code: 1101] cadence runtime error: [Error Code: 1007]')
    const answers = { ...refusing(fate, [1_000, 1_001]), 'GET /v1/accounts/': proposed(next) }
    const { world, submission } = await submitting(answers)
    expect(await submission).toEqual({ kind: 'expired' })
    expect(world.released).toEqual([{ txData: '', proposalKey: 0 }])
  })

  test('stays open when its program failed and its number is free all the same', async () => {
    const fate = failure('[Error Code: 1101] cadence runtime error')
    const { world, submission } = await submitting(refusing(fate, [1_000, 9_000]))
    await expect(submission).rejects.toThrow(refusal('network', /and still may/))
    expect(world.released).toEqual([])
  })

  test.each([null, { keys: [] }, { keys: [{ index: '0' }] }, proposed(-1), proposed(2 ** 60)])(
    'stays open with an account like %j',
    async account => {
      const answers = { ...refusing(unknown, [1_000, 9_000]), 'GET /v1/accounts/': account }
      const { world, submission } = await submitting(answers)
      await expect(submission).rejects.toThrow(refusal('network', /the account of the proposer/))
      expect(world.released).toEqual([])
    },
  )

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

  test('is not believed with the scripts of the original where there is money', async () => {
    const answers = {
      'POST /v1/transactions': { id },
      'GET /v1/transaction_results': result(0),
    }
    const world = createWorld(answers, ownOf('original', 'mainnet', secret))
    const { txData } = await world.finished()
    const fault = refusal('network', /another transaction than it was given/)
    await expect(world.submit(txData)).rejects.toThrow(fault)
    expect(world.warned).toEqual([])
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
