import { describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { fromBase58 } from '../../src/base/base58.ts'
import type { ChainReads, Completion, KeyRef, PendingTx } from '../../src/base/model.ts'
import { sol } from '../../src/chains/sol.ts'
import { noReads } from '../support/evm.ts'
import { membersOf } from '../support/members.ts'
import { type RecordedCase, recordedCases } from '../support/recorded-cases.ts'
import { refusal } from '../support/refusal.ts'
import {
  alice,
  blockhash,
  bob,
  compile,
  completion,
  memo,
  ownOf,
  paymentOf,
  prepareSol,
  shop,
  signaturesOf,
  transfer,
  type Wallet,
  walletOf,
} from '../support/sol-payments.ts'
import { readSol, solPayments, toBase58 } from '../support/solana.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

const { signal } = new AbortController()
const path = '/v3/blockchain/node/SOL/{apiKey}'

describe('a recorded payment', () => {
  const cases = recordedCases('SOL').map(found => [found.case, found] as const)

  test.each(cases.filter(([, { expected }]) => expected.outcome === 'signed'))(
    'is signed to the byte: %s',
    async (_name, found) => {
      const wallets = walletsOf(found)
      const pending: PendingTx = { signatures: [], ...found.pending } as never
      const asked: string[] = []
      const reads: ChainReads = {
        ...noReads,
        async rpc(where, method, params) {
          expect(where).toBe(path)
          asked.push(method)
          return answerIn(found, method, params)
        },
      }
      const own = ownOf(...wallets)
      const completed = await sol.complete(pending, own, reads, signal)
      const prepared = sol.prepare(pending, own, completed)
      const { txData, txId } = prepared.seal(signaturesOf(prepared, wallets))
      expect(txId).toBe(found.expected.txData ?? '')
      const patient = { ...reads, wait: async () => {} }
      const submission = await sol.submit?.(txData, own, patient, signal)
      expect(submission).toEqual({ kind: 'sent', txData: txId })
      expect(asked).toEqual(['getLatestBlockhash', 'sendTransaction', 'getTransaction'])
    },
  )

  test.each(cases.filter(([, { expected }]) => expected.outcome === 'refused'))(
    'is refused before anything is asked: %s',
    async (_name, found) => {
      const pending: PendingTx = { signatures: [], ...found.pending } as never
      const completing = sol.complete(pending, ownOf(...walletsOf(found)), noReads, signal)
      await expect(completing).rejects.toThrow(refusal('transaction-refused'))
    },
  )
})

describe('the wallets of a payment', () => {
  const id = '1e401cba-adf2-4176-876d-171a156a9f14'
  const other = '92f9467e-c9d9-41e3-88a5-300d97ccb7ea'

  const named: readonly (readonly [Partial<PendingTx>, readonly KeyRef[]])[] = [
    [{ hashes: [id] }, [{ signatureId: id }]],
    [{ hashes: [id], index: 3 }, [{ signatureId: id, index: 3 }]],
    [{ hashes: [id, other], index: 3 }, [{ signatureId: id }, { signatureId: other }]],
    [{ hashes: [], signatures: [{ id, index: 0 }] }, [{ signatureId: id, index: 0 }]],
    [
      { hashes: [other], signatures: [{ id, index: 2 }] },
      [{ signatureId: other }, { signatureId: id, index: 2 }],
    ],
  ]

  test('are those of its hashes and of its signatures', () => {
    for (const [wallets, refs] of named) {
      expect(sol.keys({ ...paymentOf(''), ...wallets })).toEqual(refs)
    }
  })

  test('are at least one', () => {
    expect(() => sol.keys({ ...paymentOf(''), hashes: [] })).toThrow(refusal('transaction-refused'))
  })

  test('sign in the order of the accounts, in whatever order they are named', () => {
    const message = compile(bob.address, [transfer(alice.address, shop, 1n)])
    const bytes = [[alice, bob] as const, [bob, alice] as const].map(wallets => {
      const prepared = prepareSol(message, wallets)
      return prepared.seal(signaturesOf(prepared, wallets))
    })
    expect(bytes[0]).toEqual(bytes[1] as never)
  })
})

describe('completion', () => {
  const payment = paymentOf(compile(alice.address, [transfer(alice.address, shop, 1n)]))
  const answering = (answer: unknown): ChainReads => ({ ...noReads, rpc: async () => answer })

  test('is a blockhash and the last block that takes it', async () => {
    const value = { blockhash, lastValidBlockHeight: 1_150 }
    const reads = answering({ context: { slot: 2_000 }, value })
    expect(await sol.complete(payment, ownOf(alice), reads, signal)).toEqual(completion)
  })

  test('does not come of an answer without them', async () => {
    const context = { slot: 2_000 }
    const whole = { blockhash, lastValidBlockHeight: 1_150 }
    const values = [null, undefined, 1, [], {}, { blockhash }, { lastValidBlockHeight: 1 }]
    const answers = values.map(value => ({ context, value }))
    for (const answer of [...answers, { value: whole }, { context: {}, value: whole }]) {
      const completing = sol.complete(payment, ownOf(alice), answering(answer), signal)
      await expect(completing).rejects.toThrow(refusal('network'))
    }
  })

  test.each<Completion>([
    {},
    { blockhash },
    { lastBlock: '1' },
    { blockhash, lastBlock: '1' },
    { ...completion, slot: '-1' },
    { ...completion, slot: '9'.repeat(16) },
    { ...completion, blockhash: `${blockhash}1` },
    { ...completion, blockhash: '' },
    { ...completion, lastBlock: '-1' },
    { ...completion, lastBlock: '1e3' },
    { ...completion, lastBlock: '9'.repeat(16) },
    { ...completion, txData: '00' },
    { ...completion, fee: '1' },
  ])('is refused by the signer when it is %p', odd => {
    const preparing = () => sol.prepare(payment, ownOf(alice), odd)
    expect(preparing).toThrow(refusal('transaction-refused'))
  })
})

describe('what a payment uses up', () => {
  const message = compile(alice.address, [transfer(alice.address, shop, 1n)])
  const claimsWith = (more: Completion = {}, bytes = message): readonly string[] =>
    sol.prepare(paymentOf(bytes), ownOf(alice), { ...completion, ...more }).claims

  test('is what its signatures are made of, whatever else is known of it', () => {
    expect(claimsWith({ lastBlock: '1151', slot: '2001' })).toEqual(claimsWith())
  })

  test('is something else with another blockhash, so that it is never refused for good', () => {
    expect(claimsWith({ blockhash: shop })).not.toEqual(claimsWith())
    expect(prepareSol(message, [alice]).isDated).toBe(true)
  })

  test('is something else where anything of the message is', () => {
    const other = compile(alice.address, [transfer(alice.address, shop, 2n)])
    expect(claimsWith({}, other)).not.toEqual(claimsWith())
  })
})

test('a key of another curve has no address', () => {
  for (const key of [
    { curve: 'secp256k1', bytes: new Uint8Array(32) },
    { curve: 'ed25519', bytes: new Uint8Array(31) },
    { curve: 'ed25519', bytes: new Uint8Array(33) },
  ] as const) {
    expect(() => sol.address(key, 'mainnet')).toThrow(refusal('unexpected'))
  }
})

describe('any payment', () => {
  const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 })
  const amount = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
  const seeds = fc.uniqueArray(bytes, { minLength: 1, maxLength: 3, selector: String })
  const paid = fc.record({ from: fc.nat(2), to: bytes, amount })
  const payments = fc.array(paid, { minLength: 1, maxLength: 6 })
  const memos = fc.option(fc.string({ unit: 'grapheme', maxLength: 10 }), { nil: undefined })

  test('says to an independent reader what was asked, signed by all that must', () => {
    const check = (
      keys: readonly Uint8Array[],
      asked: readonly { readonly from: number; readonly to: Uint8Array; readonly amount: bigint }[],
      text: string | undefined,
      hash: Uint8Array,
    ) => {
      const all = keys.map(walletOf)
      const paying = asked.map(({ from, to, amount }) => ({
        from: all[from % all.length]?.address ?? '',
        to: toBase58(to),
        amount,
      }))
      const steps = [
        ...paying.map(({ from, to, amount }) => transfer(from, to, amount)),
        ...(text === undefined ? [] : [memo(text, ...all.map(({ address }) => address))]),
      ]
      const used = new Set([all[0]?.address, ...paying.map(({ from }) => from)])
      const signing = all.filter(({ address }) => text !== undefined || used.has(address))
      const message = compile(all[0]?.address ?? '', steps)
      const completed = { blockhash: toBase58(hash), lastBlock: '1', slot: '1' }
      const prepared = sol.prepare(paymentOf(message), ownOf(...signing), completed)
      const { txData, txId } = prepared.seal(signaturesOf(prepared, signing))
      const read = readSol(txData.split('@')[0] ?? '')
      expect(read.signatures[0]).toBe(txId)
      expect(read.blockhash).toBe(completed.blockhash)
      expect(solPayments(read)).toEqual(
        paying.map(({ to, amount }) => ({ to, amount, asset: 'SOL' })),
      )
      message.set(hash, 4 + 32 * read.accounts.length)
      expect(read.message).toEqual(message)
      const digest = createHash('sha256').update(message).digest('hex')
      expect(prepared.claims).toEqual([`tx/${digest}`])
    }
    fc.assert(fc.property(seeds, payments, memos, bytes, check))
  })
})

function walletsOf({ pending, wallets }: RecordedCase): readonly Wallet[] {
  return pending.hashes.map(id => {
    const { privateKey = '' } = wallets[id] ?? {}
    const isHex = privateKey.length === 128
    return walletOf(isHex ? Buffer.from(privateKey.slice(0, 64), 'hex') : seedOf(privateKey))
  })
}

function seedOf(pair: string): Uint8Array {
  return (fromBase58(pair, 64) ?? new Uint8Array()).slice(0, 32)
}

/** What was answered to this very call. */
function answerIn({ http }: RecordedCase, method: string, params: unknown): unknown {
  const body = { method, jsonrpc: '2.0', params, id: 1 }
  const found = http.find(exchange => Bun.deepEquals(exchange.body, body))
  if (found === undefined) throw new Error(`nothing was recorded for ${method}`)
  return membersOf(found.response)['result']
}
