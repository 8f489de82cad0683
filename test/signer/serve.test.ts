import { afterAll, afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { KmsError } from '../../src/base/errors.ts'
import type { Completion } from '../../src/base/model.ts'
import type { SignResult } from '../../src/signer/messages.ts'
import { type InProcessSigner, startSigner } from '../support/in-process-signer.ts'
import {
  btcPayment,
  ethAddress,
  ethPayment,
  filledEthPayment,
  pendingIdOf,
  wallets,
} from '../support/payments.ts'
import { storeWallets } from '../support/test-vault.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

const template = mkdtempSync(join(tmpdir(), 'kms-signer-'))
await storeWallets(template, Object.values(wallets))
afterAll(() => rmSync(template, { recursive: true }))

const added = { nonce: '7', gas: '21000', gasPrice: '2000000000' }
const unknownId = '99999999-9999-4999-8999-999999999999'

let folder: string
let signer: InProcessSigner

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kms-signer-'))
  cpSync(template, folder, { recursive: true })
  signer = startSigner(folder)
})

afterEach(() => {
  signer[Symbol.dispose]()
  rmSync(folder, { recursive: true })
})

describe('one id has one set of bytes', () => {
  test('the same transaction gets the same bytes, whatever the completion says now', async () => {
    const [first] = await sign([ethPayment(1), added])
    expect(first).toMatchObject({ kind: 'signed', repeated: false })
    for (const completion of [added, { ...added, nonce: '8' }, {}, { nonsense: '1' }]) {
      const [again] = await sign([ethPayment(1), completion])
      expect(again).toEqual({ ...first, repeated: true } as SignResult)
    }
    expect(signer.ledger.count()).toBe(1)
  })

  test('also in another process, and for BTC', async () => {
    const [first] = await sign([btcPayment(1), {}])
    restart()
    const [again] = await sign([btcPayment(1), { nonce: '1' }])
    expect(first).toMatchObject({ kind: 'signed', repeated: false })
    expect(again).toEqual({ ...first, repeated: true } as SignResult)
  })

  test('twice in one batch is one signature', async () => {
    const [first, second] = await sign([ethPayment(1), added], [ethPayment(1), added])
    expect(second).toEqual({ ...first, repeated: true } as SignResult)
    expect(signer.ledger.count()).toBe(1)
  })

  test('another transaction under a known id is refused', async () => {
    await sign([ethPayment(1), added], [btcPayment(2), {}])
    const changed = ethPayment(1, {}, { value: '1002' })
    const results = await sign(
      [changed, { ...added, nonce: '8' }],
      [btcPayment(2, {}, 77), {}],
      [ethPayment(2), { ...added, nonce: '9' }],
      [{ ...ethPayment(1), chain: 'BTC' }, {}],
    )
    for (const result of results) expect(result).toMatchObject(refusal('signed before'))
    expect(signer.ledger.count()).toBe(2)
  })

  test('another transaction under an id of the same batch is refused', async () => {
    const results = await sign(
      [ethPayment(1), added],
      [ethPayment(1, {}, { value: '1002' }), { ...added, nonce: '8' }],
    )
    expect(results).toMatchObject([{ kind: 'signed' }, refusal('signed before')])
  })
})

describe('what the front adds', () => {
  test.each([
    ['a field the transaction has', filledEthPayment(1, 7), { gasPrice: '1' }],
    ['a nonce the transaction has', ethPayment(1, {}, { nonce: 3 }), added],
    ['a recipient', ethPayment(1), { ...added, to: ethAddress }],
    ['an amount', ethPayment(1), { ...added, value: '1' }],
    ['an unknown field', ethPayment(1), { ...added, nonsense: '1' }],
    ['__proto__', ethPayment(1), { ...added, constructor: '1' }],
    ['no nonce', ethPayment(1), { gas: '21000', gasPrice: '1' }],
    ['too little gas', ethPayment(1), { ...added, gas: '20999' }],
    ['absurd gas', ethPayment(1), { ...added, gas: '100000001' }],
    ['an absurd price', ethPayment(1), { ...added, gasPrice: '10000000000000001' }],
    ['a negative nonce', ethPayment(1), { ...added, nonce: '-1' }],
    ['a hexadecimal nonce', ethPayment(1), { ...added, nonce: '0x7' }],
    ['a nonce beyond all numbers', ethPayment(1), { ...added, nonce: '9'.repeat(400) }],
    ['anything to a BTC payment', btcPayment(1), { fee: '1' }],
  ])('is refused when it is %s', async (_, pending, completion) => {
    const [result] = await sign([pending, completion as Completion])
    expect(result).toMatchObject({ kind: 'refused', code: 'transaction-refused' })
    expect(signer.ledger.count()).toBe(0)
  })

  test('a fee above the cap is refused, and the nonce is not used up', async () => {
    const greedy = { ...added, gas: '1000000', gasPrice: '1000000000001' }
    const refused = { kind: 'refused', code: 'policy-denied' } as const
    expect(await sign([ethPayment(1), greedy], [btcPayment(3), {}])).toMatchObject([
      refused,
      { kind: 'signed' },
    ])
    expect(await sign([ethPayment(2), added])).toMatchObject([{ kind: 'signed' }])
  })
})

describe('whose keys', () => {
  test.each([
    ['of another chain', { hashes: [wallets.btcKey.id], index: undefined }, 'BTC wallet'],
    ['of another network', { hashes: [wallets.ethTestnet.id], index: undefined }, 'on testnet'],
    ['that nobody knows', { hashes: [unknownId] }, 'no wallet'],
    ['without the index it needs', { index: undefined }, 'which index'],
    ['of a single key with an index', { hashes: [wallets.ethKey.id], index: 1 }, 'no index 1'],
    ['with an index of a hardened key', { index: 2 ** 31 }, 'member index'],
    ['with an index that is no number', { index: '0' }, 'member index'],
    ['that are not named', { hashes: [] }, 'no wallet'],
  ])('a payment from a wallet %s is refused', async (_, change, reason) => {
    const [result] = await sign([{ ...ethPayment(1), ...change }, added])
    expect(result).toMatchObject({ kind: 'refused', reason: expect.stringContaining(reason) })
    expect(signer.ledger.count()).toBe(0)
  })

  test('0 is accepted as the index of a single key, and means nothing', async () => {
    const key = { hashes: [wallets.ethKey.id], index: undefined }
    const results = await sign(
      [{ ...ethPayment(1), ...key }, added],
      [
        { ...ethPayment(2), ...key, index: 0 },
        { ...added, nonce: '8' },
      ],
    )
    expect(results).toMatchObject([{ kind: 'signed' }, { kind: 'signed' }])
    expect(await signer.ask({ type: 'nextNonce', chain: 'ETH', address: ethAddress })).toEqual({
      next: null,
    })
  })

  test('a BTC payment whose inputs are not ours is refused', async () => {
    const [result] = await sign([btcPayment(1, { hashes: [wallets.btcMnemonic.id], index: 0 }), {}])
    expect(result).toMatchObject({ kind: 'refused' })
  })
})

describe('what is used once', () => {
  test('a nonce: a second payment with it is refused, now and in another process', async () => {
    await sign([filledEthPayment(1, 7), {}])
    const second = () => sign([filledEthPayment(2, 7), {}])
    expect(await second()).toMatchObject([refusal(`already used by payment ${pendingIdOf(1)}`)])
    restart()
    expect(await second()).toMatchObject([refusal('already used')])
    expect(await sign([filledEthPayment(2, 8), {}])).toMatchObject([{ kind: 'signed' }])
  })

  test('an output', async () => {
    await sign([btcPayment(1), {}])
    expect(await sign([btcPayment(2, {}, 1), {}])).toMatchObject([refusal('already used')])
  })

  test('a nonce within one batch: the first one has it', async () => {
    const results = await sign(
      [filledEthPayment(1, 7), {}],
      [filledEthPayment(2, 7), {}],
      [btcPayment(3), {}],
      [btcPayment(4, {}, 3), {}],
      [filledEthPayment(5, 8), {}],
    )
    expect(results.map(({ kind }) => kind)).toEqual([
      'signed',
      'refused',
      'signed',
      'refused',
      'signed',
    ])
  })

  test('the same nonce of another address is another one', async () => {
    const other = { hashes: [wallets.ethMnemonic.id], index: 1 }
    const results = await sign([filledEthPayment(1, 7), {}], [filledEthPayment(2, 7, other), {}])
    expect(results).toMatchObject([{ kind: 'signed' }, { kind: 'signed' }])
  })

  test('the next nonce is one above the highest ever signed', async () => {
    const next = () => signer.ask({ type: 'nextNonce', chain: 'ETH', address: ethAddress })
    expect(await next()).toEqual({ next: null })
    await sign([filledEthPayment(1, 7), {}], [filledEthPayment(2, 3), {}])
    expect(await next()).toEqual({ next: '8' })
  })
})

describe('questions that come together', () => {
  test('do not sign one id twice', async () => {
    const results = await Promise.all([
      sign([ethPayment(1), added]),
      sign([ethPayment(1), { ...added, nonce: '8' }]),
      sign([ethPayment(1, {}, { value: '5' }), { ...added, nonce: '9' }]),
    ])
    const [first, second, third] = results.flat()
    expect(first).toMatchObject({ kind: 'signed', repeated: false })
    expect(second).toEqual({ ...first, repeated: true } as SignResult)
    expect(third).toMatchObject(refusal('signed before'))
    expect(signer.ledger.count()).toBe(1)
  })

  test('do not give one nonce to two payments', async () => {
    const results = await Promise.all([1, 2, 3].map(n => sign([filledEthPayment(n, 7), {}])))
    expect(results.flat().map(({ kind }) => kind)).toEqual(['signed', 'refused', 'refused'])
  })
})

describe('a batch', () => {
  test('with bad payments signs the others and answers in order', async () => {
    const results = await sign(
      ['not a payment', {}],
      [filledEthPayment(1, 1), {}],
      [{ ...btcPayment(2), serializedTransaction: '{' }, {}],
      [{ ...btcPayment(3), chain: 'NONE' }, {}],
      [btcPayment(4), {}],
    )
    expect(results).toMatchObject([
      { kind: 'refused', code: 'transaction-malformed' },
      { kind: 'signed' },
      { kind: 'refused', code: 'transaction-malformed' },
      { kind: 'refused', code: 'transaction-malformed' },
      { kind: 'signed' },
    ])
  })

  test('of nothing is answered with nothing', async () => {
    expect(await sign()).toEqual([])
  })

  test('is not answered when the ledger cannot be written, not even its known part', async () => {
    await sign([btcPayment(1), {}])
    signer[Symbol.dispose]()
    signer = startSigner(folder, {
      wrapLedger: ledger => ({
        ...ledger,
        commit() {
          throw new KmsError('disk', 'the ledger could not be written')
        },
      }),
    })
    const payments = [btcPayment(1), btcPayment(2)].map(pending => ({ pending, completion: {} }))
    expect(await signer.answer({ type: 'sign', payments })).toEqual({
      fault: { code: 'disk', message: 'the ledger could not be written' },
    })
    restart()
    expect(await sign([btcPayment(1), {}], [btcPayment(2), {}])).toMatchObject([
      { repeated: true },
      { repeated: false },
    ])
  })
})

describe('the vault', () => {
  test('its wallets are listed for the daemon’s network only', async () => {
    const { wallets: listed, next } = await signer.ask({ type: 'wallets', from: 0 })
    const mainnet = Object.values(wallets).filter(({ network }) => network === 'mainnet')
    expect(listed).toEqual(mainnet.map(({ id, chain }) => ({ id, chain })))
    expect(next).toBeNull()
    expect(await signer.ask({ type: 'wallets', from: 1_000_000 })).toEqual({
      wallets: [],
      next: null,
    })
  })

  test('a wallet added by another command is there after a reload', async () => {
    const late = { ...wallets.ethKey, id: unknownId }
    const payment = { ...filledEthPayment(1, 1), hashes: [late.id] }
    expect(await signer.ask({ type: 'reload' })).toEqual({ changed: false })
    await storeWallets(folder, [late])
    expect(await sign([payment, {}])).toMatchObject([{ kind: 'refused', code: 'wallet-missing' }])
    expect(await signer.ask({ type: 'reload' })).toEqual({ changed: true })
    expect(await sign([payment, {}])).toMatchObject([{ kind: 'signed' }])
  })

  test('a wallet is said to be there until the ledger knows of it, too', async () => {
    const { generation } = signer.vault
    let isFull = true
    signer[Symbol.dispose]()
    signer = startSigner(folder, {
      wrapLedger: ledger => ({
        ...ledger,
        checkGeneration(seen) {
          if (isFull) throw new KmsError('disk', 'the ledger could not be written (SQLITE_FULL)')
          ledger.checkGeneration(seen)
        },
      }),
    })
    await storeWallets(folder, [{ ...wallets.ethKey, id: unknownId }])
    for (let again = 0; again < 2; again++) {
      expect(await signer.answer({ type: 'reload' })).toMatchObject({ fault: { code: 'disk' } })
    }
    isFull = false
    expect(await signer.ask({ type: 'reload' })).toEqual({ changed: true })
    expect(signer.ledger.seenGeneration()).toBe(generation + 1n)
    expect(await signer.ask({ type: 'reload' })).toEqual({ changed: false })
  })

  test('an older copy put in its place is noticed at the next reload', async () => {
    const old = await Bun.file(join(folder, 'wallet.dat')).bytes()
    signer.ledger.checkGeneration(signer.vault.generation)
    await storeWallets(folder, [{ ...wallets.ethKey, id: unknownId }])
    await signer.ask({ type: 'reload' })
    writeFileSync(join(folder, 'wallet.dat'), old)
    expect(await signer.answer({ type: 'reload' })).toMatchObject({
      fault: { code: 'vault-rolled-back' },
    })
  })

  test('public keys are answered by id and index, and for nobody else’s wallets', async () => {
    const refs = [{ signatureId: wallets.ethMnemonic.id, index: 0 }]
    const { keys } = await signer.ask({ type: 'publicKeys', chain: 'ETH', refs })
    expect(keys).toEqual([expect.stringMatching(/^secp256k1:0[23][0-9a-f]{64}$/)])
    for (const [chain, ref] of [
      ['BTC', { signatureId: wallets.ethMnemonic.id, index: 0 }],
      ['ETH', { signatureId: wallets.ethTestnet.id }],
      ['ETH', { signatureId: unknownId }],
      ['ETH', { signatureId: wallets.ethMnemonic.id, index: -1 }],
      ['ETH', { signatureId: wallets.ethMnemonic.id, index: 2 ** 31 }],
      ['DOGE', { signatureId: wallets.ethMnemonic.id, index: 0 }],
    ]) {
      const answer = await signer.answer({ type: 'publicKeys', chain, refs: [ref] })
      expect(answer).toMatchObject({ fault: { message: expect.not.stringContaining('internal') } })
    }
  })

  test('status counts', async () => {
    await sign([btcPayment(1), {}])
    expect(await signer.ask({ type: 'status' })).toEqual({
      vaultId: signer.vault.vaultId,
      wallets: Object.keys(wallets).length,
      signed: 1,
      commits: expect.any(Number),
      generation: '1',
      usage: { residentBytes: expect.any(Number), cpuSeconds: expect.any(Number) },
    })
  })
})

describe('what was signed', () => {
  const contents = (payment: { readonly serializedTransaction: string }): string =>
    createHash('sha256').update(payment.serializedTransaction).digest('hex')
  const lookUp = (chain: string, pendingId: string, hash: string): Promise<unknown> =>
    signer.answer({ type: 'signed', payments: [{ chain, pendingId, contents: hash }] })

  const noIds = [`cancel/${pendingIdOf(1)}`, `resign/1/${pendingIdOf(1)}`, '', 'x'.repeat(101)]
  test.each(noIds)('is not looked up under %j, which is no id of a payment', async pendingId => {
    const malformed = { fault: { message: expect.stringContaining('malformed') } }
    expect(await lookUp('BTC', pendingId, contents(btcPayment(1)))).toMatchObject(malformed)
    expect(await signer.answer({ type: 'claims', pendingId })).toMatchObject(malformed)
  })

  test('is answered from the ledger, also in another process', async () => {
    const { id, chain } = btcPayment(1)
    expect(await lookUp(chain, id, contents(btcPayment(1)))).toEqual({
      ok: { results: [{ kind: 'none' }] },
    })
    const [first] = await sign([btcPayment(1), {}])
    if (first?.kind !== 'signed') throw new Error('it was not signed')
    restart()
    const { txData, txId } = first
    expect(await lookUp(chain, id, contents(btcPayment(1)))).toEqual({
      ok: { results: [{ kind: 'found', txData, txId }] },
    })
  })

  test('is a refusal for another transaction or chain, and for what is no hash', async () => {
    const { id, chain } = btcPayment(1)
    await sign([btcPayment(1), {}])
    for (const [on, hash] of [
      [chain, contents(btcPayment(2))],
      ['ETH', contents(btcPayment(1))],
      ['nonsense', contents(btcPayment(1))],
      [chain, ''],
      [chain, 'zz'],
    ] as const) {
      expect(await lookUp(on, id, hash)).toMatchObject({
        ok: { results: [{ kind: 'refused', code: 'transaction-refused' }] },
      })
    }
  })
})

describe('whatever comes over the pipe', () => {
  const name = fc.constantFrom(
    'wallets',
    'publicKeys',
    'nextNonce',
    'signed',
    'sign',
    'reload',
    'status',
  )
  const text = fc.oneof(
    fc.string(),
    fc.constantFrom('ETH', 'BTC', '__proto__', 'constructor', 'toString', ethAddress),
    fc.constantFrom(...Object.values(wallets).map(({ id }) => id)),
  )
  const value = fc.oneof(text, fc.jsonValue(), fc.double(), fc.bigInt().map(Number))
  const pending = fc
    .tuple(
      fc.constantFrom(ethPayment(1), filledEthPayment(2, 1), btcPayment(3)),
      fc.dictionary(member(), value),
    )
    .map(([payment, change]) => ({ ...payment, ...change }))
  const payments = fc.array(
    fc.record({ pending: fc.oneof(pending, value), completion: fc.dictionary(text, value) }),
    { maxLength: 4 },
  )
  const refs = fc.array(fc.oneof(value, fc.record({ signatureId: text, index: value })))
  const question = fc.record(
    {
      type: fc.oneof(name, value),
      from: value,
      chain: fc.oneof(text, value),
      address: value,
      pendingId: value,
      contents: value,
      refs: fc.oneof(refs, value),
      payments: fc.oneof(payments, value),
    },
    { requiredKeys: ['type'] },
  )

  test('is answered or is a fault with a reason, never a crash', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(question, fc.jsonValue()), async body => {
        const answer = JSON.stringify(await signer.answer(body))
        expect(answer).toMatch(/^\{"(ok|fault)":/)
        // What `asKmsError` makes of a TypeError.
        expect(answer).not.toContain('internal fault')
      }),
    )
  })

  test.each(['payments', 'pending'])('more %s than a batch has are no question', async name => {
    const type = name === 'payments' ? 'sign' : 'review'
    const item = name === 'payments' ? { pending: null, completion: {} } : null
    const batch = (length: number) => ({ type, [name]: Array.from({ length }, () => item) })
    expect(await signer.answer(batch(500))).toHaveProperty('ok')
    expect(await signer.answer(batch(501))).toEqual({
      fault: { code: 'unexpected', message: expect.stringContaining('malformed') },
    })
  })

  test('a serialized transaction that is any JSON is refused with a reason', async () => {
    const anyText = fc.json()
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('ETH', 'BTC'),
        anyText,
        async (chain, serializedTransaction) => {
          const base = chain === 'ETH' ? ethPayment(1) : btcPayment(1)
          const payments = [{ pending: { ...base, serializedTransaction }, completion: {} }]
          expect(await signer.answer({ type: 'sign', payments })).toEqual({
            ok: { results: [expect.objectContaining({ kind: 'refused', code: refusedCode })] },
          })
        },
      ),
    )
  })
})

const refusedCode = expect.stringMatching(/^transaction-(malformed|refused)$/)

function member(): fc.Arbitrary<string> {
  return fc.constantFrom(
    'id',
    'chain',
    'hashes',
    'index',
    'signatures',
    'serializedTransaction',
    'withdrawalId',
    'withdrawalResponses',
  )
}

async function sign(
  ...payments: readonly (readonly [unknown, Completion])[]
): Promise<readonly SignResult[]> {
  const asked = payments.map(([pending, completion]) => ({ pending, completion }))
  return (await signer.ask({ type: 'sign', payments: asked })).results
}

function restart(): void {
  signer[Symbol.dispose]()
  signer = startSigner(folder)
}

function refusal(reason: string) {
  return {
    kind: 'refused',
    code: 'transaction-refused',
    reason: expect.stringContaining(reason),
  } as const
}
