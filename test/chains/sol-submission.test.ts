import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { KmsError } from '../../src/base/errors.ts'
import type { ChainReads } from '../../src/base/model.ts'
import type { Submission } from '../../src/chains/chain.ts'
import { sol } from '../../src/chains/sol.ts'
import { noReads } from '../support/evm.ts'
import { createSolNode } from '../support/fake-chains/sol.ts'
import { membersOf } from '../support/members.ts'
import { refusal } from '../support/refusal.ts'
import {
  alice,
  compile,
  ownOf,
  paymentOf,
  prepareSol,
  shop,
  signaturesOf,
  transfer,
} from '../support/sol-payments.ts'

const prepared = prepareSol(compile(alice.address, [transfer(alice.address, shop, 5n)]), [alice])
const { txData, txId } = prepared.seal(signaturesOf(prepared, [alice]))
const [wire = ''] = txData.split('@')
const own = ownOf(alice)
const { signal } = new AbortController()

type Calls = Readonly<Record<string, (count: number) => unknown>>

/** A node that answers as told, and how often it was asked; time passes at once. */
function scripted(calls: Calls) {
  const asked: string[] = []
  const paused: number[] = []
  const reads: ChainReads = {
    ...noReads,
    async rpc(path, method, params) {
      expect(path).toBe('/v3/blockchain/node/SOL/{apiKey}')
      expect(params).toEqual(expectedParams[method] as never)
      asked.push(method)
      const answer = calls[method]
      if (answer === undefined) throw new Error(`unexpected request: ${method}`)
      return answer(asked.filter(name => name === method).length)
    },
    async wait(ms) {
      paused.push(ms)
    },
  }
  const submit = (): Promise<Submission> => {
    if (sol.submit === undefined) throw new Error('it cannot be submitted')
    return sol.submit(txData, own, reads, signal)
  }
  return { submit, asked, paused }
}

/** As recorded from the original, and the three that it does not ask. */
const expectedParams: Readonly<Record<string, unknown>> = {
  sendTransaction: [wire, { encoding: 'base64', preflightCommitment: 'confirmed' }],
  getTransaction: [txId, { commitment: 'confirmed' }],
  getEpochInfo: [{ commitment: 'finalized' }],
  getSignatureStatuses: [[txId], { searchTransactionHistory: true }],
  getFirstAvailableBlock: [],
}

const notFound = () => null
const landed = () => ({ slot: 1, meta: { err: null } })
const failed = () => ({ slot: 1, meta: { err: { InstructionError: [0, { Custom: 1 }] } } })
const refuses = (): never => {
  throw new KmsError('network', 'rpc sendTransaction failed: Blockhash not found')
}
/** The blockhash is of slot 2,000, and good until block 1,150. */
const epoch = (blockHeight: number, absoluteSlot = 2_451) => {
  return () => ({ absoluteSlot, blockHeight })
}
const status = (value: unknown, slot = 2_451) => {
  return () => ({ context: { slot }, value: [value] })
}

describe('a transaction', () => {
  test('is sent, and told of when it is confirmed', async () => {
    const node = { sendTransaction: () => txId, getTransaction: landed }
    const { submit, asked, paused } = scripted(node)
    expect(await submit()).toEqual({ kind: 'sent', txData: txId })
    expect({ asked, paused }).toEqual({
      asked: ['sendTransaction', 'getTransaction'],
      paused: [],
    })
  })

  test('is looked for ten times, with growing pauses', async () => {
    const late = (count: number) => (count < 10 ? null : landed())
    const { submit, paused } = scripted({ sendTransaction: () => txId, getTransaction: late })
    expect(await submit()).toMatchObject({ kind: 'sent' })
    expect(paused).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9].map(seconds => 1_000 * seconds))
  })

  test('that a node does not take may be there: it is looked for at once', async () => {
    const { submit, paused } = scripted({ sendTransaction: refuses, getTransaction: landed })
    expect(await submit()).toEqual({ kind: 'sent', txData: txId })
    expect(paused).toEqual([])
  })
})

describe('a transaction that is not there', () => {
  test.each([
    ['while a block can hold it', epoch(1_150), status(null)],
    ['within 3 minutes, whatever its last block is said to be', epoch(9_999, 2_450), status(null)],
    ['according to a node that lags behind', epoch(1_151), status(null, 2_450)],
    [
      'though it is in a block',
      epoch(9_999),
      status({ err: null, confirmationStatus: 'processed' }),
    ],
    ['and of which nothing else is known', epoch(9_999), status({})],
  ])('is not given up %s', async (_name, getEpochInfo, getSignatureStatuses) => {
    const asking = { getEpochInfo, getSignatureStatuses, getTransaction: notFound }
    const taken = scripted({ ...asking, sendTransaction: () => txId })
    await expect(taken.submit()).rejects.toThrow(refusal('network', /has not confirmed/))
    const refused = scripted({ ...asking, sendTransaction: refuses })
    await expect(refused.submit()).rejects.toThrow(refusal('network', /Blockhash not found/))
  })

  test('has expired when no block can hold it any more', async () => {
    const { submit, asked } = scripted({
      sendTransaction: refuses,
      getTransaction: notFound,
      getEpochInfo: epoch(1_151),
      getSignatureStatuses: status(null),
      getFirstAvailableBlock: () => 2_000,
    })
    expect(await submit()).toEqual({ kind: 'expired' })
    // In this order: what lands after the look must find the height too high, and what the node still
    // remembers after it was remembered when it looked.
    const last = ['getEpochInfo', 'getSignatureStatuses', 'getFirstAvailableBlock']
    expect(asked.slice(-3)).toEqual(last)
  })

  test.each([2_001, null, '0', {}])(
    'has not expired where the history of a node begins with %p',
    async oldest => {
      const { submit } = scripted({
        sendTransaction: refuses,
        getTransaction: notFound,
        getEpochInfo: epoch(9_999, 99_999),
        getSignatureStatuses: status(null, 99_999),
        getFirstAvailableBlock: () => oldest,
      })
      await expect(submit()).rejects.toThrow(refusal('network', /no history since slot 2000/))
    },
  )

  test.each([null, {}, { context: {} }, { context: { slot: 1 }, value: [null, null] }, 'none'])(
    'is not given up when a node answers %p',
    async answer => {
      const { submit } = scripted({
        sendTransaction: refuses,
        getTransaction: notFound,
        getEpochInfo: epoch(9_999),
        getSignatureStatuses: () => answer,
      })
      await expect(submit()).rejects.toThrow(refusal('network'))
    },
  )
})

describe('a transaction that failed on chain', () => {
  const failing = { sendTransaction: refuses, getTransaction: failed, getEpochInfo: epoch(1_000) }

  test('is given up once that is final', async () => {
    const err = { InstructionError: [0, { Custom: 1 }] }
    const final = status({ err, confirmationStatus: 'finalized' })
    const { submit } = scripted({ ...failing, getSignatureStatuses: final })
    expect(await submit()).toEqual({ kind: 'expired' })
  })

  test('is not given up while its block may vanish', async () => {
    const err = { InstructionError: [0, { Custom: 1 }] }
    const soon = status({ err, confirmationStatus: 'confirmed' })
    const { submit } = scripted({ ...failing, getSignatureStatuses: soon })
    await expect(submit()).rejects.toThrow(refusal('network'))
  })

  test('is never told of as paid', async () => {
    const { submit } = scripted({
      ...failing,
      sendTransaction: () => txId,
      getSignatureStatuses: status(null),
    })
    await expect(submit()).rejects.toThrow(refusal('network'))
  })
})

test('whatever a node answers, it is sent only when it is confirmed and given up only when it is over', async () => {
  const answer = fc.oneof(fc.jsonValue(), fc.constantFrom(null, landed(), failed()))
  const check = async (...answers: readonly unknown[]) => {
    const [sent, found, info, told, oldest] = answers
    const { submit } = scripted({
      sendTransaction: () => sent,
      getTransaction: () => found,
      getEpochInfo: () => info,
      getSignatureStatuses: () => told,
      getFirstAvailableBlock: () => oldest,
    })
    const outcome = await submit().catch((thrown: unknown) => thrown)
    if (outcome instanceof KmsError) return
    expect(outcome).toEqual({ kind: 'sent', txData: txId })
    expect(membersOf(membersOf(found)['meta'])['err']).toBe(null)
  }
  const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)
  await fc.assert(fc.asyncProperty(answer, answer, answer, answer, answer, check), { numRuns })
})

test('sending it again pays once', async () => {
  const node = createSolNode()
  const reads: ChainReads = {
    ...noReads,
    wait: async () => {},
    async rpc(_path, method, params) {
      const { result, error } = membersOf(node.answer({ jsonrpc: '2.0', id: 1, method, params }))
      if (error === undefined) return result
      throw new KmsError('network', String(membersOf(error)['message']))
    },
  }
  const payment = paymentOf(compile(alice.address, [transfer(alice.address, shop, 5n)]))
  const fresh = sol.prepare(payment, own, await sol.complete(payment, own, reads, signal))
  const signed = fresh.seal(signaturesOf(fresh, [alice]))
  for (const _ of [1, 2, 3]) {
    const submission = await sol.submit?.(signed.txData, own, reads, signal)
    expect(submission).toEqual({ kind: 'sent', txData: signed.txId })
  }
  expect([...node.landed.keys()]).toEqual([signed.txId])
})
