import { describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import fc from 'fast-check'
import { KmsError } from '../../src/base/errors.ts'
import type { ChainReads, Completion, PendingTx } from '../../src/base/model.ts'
import { btc } from '../../src/chains/btc.ts'
import type { Chain, ChainSettings, Own } from '../../src/chains/chain.ts'
import { doge } from '../../src/chains/doge.ts'
import { ltc } from '../../src/chains/ltc.ts'
import { defaultSettings } from '../../src/chains/settings.ts'
import { describeRaw, type RawParts, rawOf } from '../support/raw-transaction.ts'
import { refusal } from '../support/refusal.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

type Setting = ChainSettings['verifyInputs']
type Stated = {
  readonly txId: string
  readonly index: number
  readonly satoshis: number
  readonly script: string
}

const publicKeys = [1, 2].map(n => secp256k1.getPublicKey(new Uint8Array(32).fill(n)))
const own = ownOf(publicKeys)
const legacyScripts = publicKeys.flatMap(key => [
  `76a914${hash160(key)}88ac`,
  `21${Buffer.from(key).toString('hex')}ac`,
])
const [p2pkh = ''] = legacyScripts
const p2wpkh = `0014${hash160(publicKeys[0] ?? new Uint8Array())}`
const never = new AbortController().signal

/** Bitcoin's first payment between two people, in block 170: 10 and 40 BTC, to public keys. */
const firstPayment =
  '0100000001c997a5e56e104102fa209c6a852dd90660a20b2d9c352423edce25857fcd3704000000004847304402204e45e16932b8af514961a1d3a1a25fdf3f4f7732e9d624c6c61548ab5fb8cd410220181522ec8eca07de4860a4acdd12909d831cc56cbbac4622082221a8768d1d0901ffffffff0200ca9a3b00000000434104ae1a62fe09c5f51b13905f07f06b99a2f7159b2225f374cd378d71302fa28414e7aab37397f554a7df5f142c21c1b7303b8a0626f1baded5c72a704f7e6cd84cac00286bee0000000043410411db93e1dcdb8a016b49840f8c53bc1eb68a382e97b1482ecad7b148a6909a5cb2e0eaddfb84ccf9744464f82e160bfa9b8b64f9d4c03f999b8643f656b412a3ac00000000'
const change = {
  txId: 'f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16',
  index: 1,
  satoshis: 4_000_000_000,
  script: `41${firstPayment.slice(-140, -10)}ac`,
}
const satoshi = ownOf([Uint8Array.from(Buffer.from(change.script.slice(2, -2), 'hex'))])

const previous = describeRaw({ outputs: [{ satoshis: 70_000n, script: p2pkh }] })
const spent: Stated = { txId: previous.txId, index: 0, satoshis: 70_000, script: p2pkh }

describe('a legacy input', () => {
  test('of Bitcoin’s first payment is proved by its 275 bytes', () => {
    const completion = { [`previous/${change.txId}`]: firstPayment }
    expect(prepare([change], completion, 'require', satoshi).requests).toHaveLength(1)
    const understated = { ...change, satoshis: 3_000_000_000 }
    expect(() => prepare([understated], completion, 'auto', satoshi)).toThrow(
      refusal('transaction-refused', /input 0 holds 4000000000 base units, not 3000000000/),
    )
  })

  test.each([
    ['without witnesses', undefined],
    ['with witnesses', { flags: 1, between: '02aabb'.padEnd(8, '0') }],
    ['of the last transaction of a Litecoin block, which pays what leaves MWEB', { flags: 8 }],
    ['with witnesses and MWEB data', { flags: 9, between: '0102030405060708' }],
  ] as const)('is proved by a transaction %s', (_, extension) => {
    const completion = { [`previous/${previous.txId}`]: rawOf({ ...previous.parts, extension }) }
    expect(prepare([spent], completion, 'require').requests).toHaveLength(1)
    expect(() => prepare([{ ...spent, satoshis: 69_999 }], completion)).toThrow(
      refusal('transaction-refused', /input 0 holds 70000 base units, not 69999 as stated/),
    )
  })

  test.each<[string, Partial<Stated>, RegExp]>([
    ['less', { satoshis: 50_000 }, /input 0 holds 70000 base units, not 50000 as stated/],
    ['more', { satoshis: 90_000 }, /input 0 holds 70000 base units, not 90000 as stated/],
    ['another script', { script: legacyScripts[1] ?? '' }, /the script of input 0 is not that of/],
    ['an output it lacks', { index: 1 }, /input 0 spends output 1, of a transaction with 1/],
  ])('that is said to have %s is refused', (_, lie, reason) => {
    for (const setting of ['auto', 'require', 'off'] as const) {
      const attempt = () => prepare([{ ...spent, ...lie }], proofOf(previous), setting)
      expect(attempt).toThrow(refusal('transaction-refused', reason))
    }
  })

  test('is refused with bytes of another transaction', () => {
    const other = describeRaw({ outputs: [{ satoshis: 70_001n, script: p2pkh }] })
    const attempt = () => prepare([spent], { [`previous/${spent.txId}`]: other.raw })
    expect(attempt).toThrow(refusal('transaction-refused', /input 0 spends from is not that one/))
  })

  test('without proof is signed, unless one is required', () => {
    expect(prepare([spent], {}, 'auto').requests).toHaveLength(1)
    expect(prepare([spent], {}, 'off').requests).toHaveLength(1)
    expect(() => prepare([spent], {}, 'require')).toThrow(
      refusal('transaction-refused', /the amount of input 0 is not proved/),
    )
  })

  test('is not proved by what proves another one', () => {
    const other = { ...spent, txId: 'ab'.repeat(32) }
    expect(() => prepare([spent, other], proofOf(previous), 'require')).toThrow(
      refusal('transaction-refused', /the amount of input 1 is not proved/),
    )
  })
})

test('a witness input commits to its amount and needs no proof', () => {
  const witness = { ...spent, script: p2wpkh }
  expect(prepare([witness], {}, 'require').requests).toHaveLength(1)
  expect(() => prepare([witness], proofOf(previous))).toThrow(refusal('transaction-refused'))
})

test.each([
  ['fee', '1'],
  ['previous/', previous.raw],
  [`previous/${'ab'.repeat(32)}`, previous.raw],
  [`previous/${previous.txId.toUpperCase()}`, previous.raw],
  [previous.txId, previous.raw],
  ['__proto__', previous.raw],
  ['constructor', previous.raw],
])('nothing else can be added: %s', (name, text) => {
  const completion: Completion = Object.fromEntries([[name, text]])
  expect(() => prepare([spent], completion)).toThrow(
    refusal('transaction-refused', /nothing can be added to a transaction of this chain/),
  )
})

describe('for any previous transaction', () => {
  const output = fc.record({
    satoshis: fc.bigInt({ min: 1_000n, max: 10n ** 12n }),
    script: fc.constantFrom(...legacyScripts),
  })
  const parts = fc.record({
    version: fc.nat(0xffffffff),
    inputs: fc.array(fc.record({ index: fc.nat(9), scriptSig: hexText(120) }), {
      minLength: 1,
      maxLength: 4,
    }),
    outputs: fc.array(output, { minLength: 1, maxLength: 5 }),
    lockTime: fc.nat(0xffffffff),
    extension: fc.option(fc.record({ flags: fc.constantFrom(1, 8, 9), between: hexText(60) }), {
      nil: undefined,
    }),
  })
  const made = fc
    .tuple(parts, fc.nat())
    .map(([some, at]) => ({ ...describeRaw(some), index: at % some.outputs.length }))

  test('the truth is accepted and changes nothing', () => {
    fc.assert(
      fc.property(made, ({ parts: { outputs }, txId, raw, index }) => {
        const inputs = outputs.map(({ satoshis, script }, at) => {
          return { txId, index: at, satoshis: Number(satoshis), script }
        })
        const chosen = inputs.slice(index)
        const proved = prepare(chosen, { [`previous/${txId}`]: raw }, 'require')
        expect(proved.requests).toEqual(prepare(chosen, {}).requests)
        expect(proved.intent).toEqual(prepare(chosen, {}).intent)
      }),
    )
  })

  test('any other amount, script, position or id is refused', () => {
    const otherBy = fc.integer({ min: -900, max: 10 ** 6 }).filter(difference => difference !== 0)
    fc.assert(
      fc.property(made, otherBy, fc.constantFrom(...legacyScripts), (tx, by, script) => {
        const truth = statedOf(tx, tx.index)
        const completion = { [`previous/${tx.txId}`]: tx.raw }
        const refuses = (lie: Partial<Stated>): void =>
          expect(() => prepare([{ ...truth, ...lie }], completion)).toThrow(
            refusal('transaction-refused'),
          )
        refuses({ satoshis: truth.satoshis + by })
        refuses({ index: tx.parts.outputs.length + Math.abs(by) })
        refuses({ txId: flipped(tx.txId, Math.abs(by)) })
        if (script !== truth.script) refuses({ script })
        const other = statedOf(tx, (tx.index + 1) % tx.parts.outputs.length)
        const isEqual = other.satoshis === truth.satoshis && other.script === truth.script
        if (!isEqual) refuses({ index: other.index })
      }),
    )
  })

  test('any changed, missing or added byte of what is hashed is refused', () => {
    fc.assert(
      fc.property(made, fc.nat(), hexText(8), (tx, at, tail) => {
        const plain = rawOf({ ...tx.parts, extension: undefined })
        const refuses = (raw: string): void =>
          expect(() => prepare([statedOf(tx, tx.index)], { [`previous/${tx.txId}`]: raw })).toThrow(
            refusal('transaction-refused', /is not that one/),
          )
        refuses(flipped(plain, at))
        refuses(plain.slice(0, at % plain.length))
        refuses(`${plain}00${tail}`)
      }),
    )
  })

  test('what is not hashed is not believed either', () => {
    fc.assert(
      fc.property(made, fc.nat(), (tx, at) => {
        const stated = { ...statedOf(tx, tx.index), satoshis: 999 }
        const completion = { [`previous/${tx.txId}`]: flipped(tx.raw, at) }
        expect(() => prepare([stated], completion)).toThrow(refusal('transaction-refused'))
      }),
    )
  })
})

test.each([
  ['nothing', ''],
  ['text', 'not a transaction'],
  ['half a byte', '010'],
  ['a list that claims to be endless', `01000000ff${'ff'.repeat(8)}`],
  ['a script that claims to be endless', `0100000001${'00'.repeat(36)}ff${'ff'.repeat(8)}`],
  ['nothing but lists', '00'.repeat(500_000)],
  ['nothing but lengths', `01000000${'fd'.repeat(500_000)}`],
  ['ten thousand inputs and no more', `01000000fd1027${'00'.repeat(410_000)}`],
  ['an extension of nothing', '010000000001'],
  ['flags that end', '0100000000'],
])('%s in the place of a transaction is refused at once', (_, raw) => {
  const started = performance.now()
  const attempt = () => prepare([spent], { [`previous/${spent.txId}`]: raw })
  expect(attempt).toThrow(refusal('transaction-refused', /is not that one/))
  expect(performance.now() - started).toBeLessThan(1_000)
})

describe('the front', () => {
  const many = Array.from({ length: 12 }, (_, n) =>
    describeRaw({ lockTime: n, outputs: [{ satoshis: 70_000n, script: p2pkh }] }),
  )
  const spendingAll = many.map(tx => statedOf(tx, 0))
  const answers = new Map(many.map(({ txId, raw }) => [txId, raw]))

  test.each([
    [btc, '/v3/bitcoin/node'],
    [ltc, '/v3/litecoin/node'],
    [doge, '/v3/dogecoin/node'],
  ] as const)(
    'reads each transaction once, and what it answers proves all (%#)',
    async (chain, path) => {
      const { reads, asked, warnings } = readsOf(id => answers.get(id))
      const inputs = [...spendingAll, ...spendingAll.map(input => ({ ...input, index: 1 }))]
      const completion = await complete(chain, inputs, 'require', reads)
      expect(asked.toSorted()).toEqual(
        many.map(({ txId }) => `${path} getrawtransaction ["${txId}"]`).toSorted(),
      )
      expect(completion).toEqual(Object.assign({}, ...many.map(proofOf)))
      expect(warnings).toEqual([])
      const settled = { ...own, settings: { ...own.settings, verifyInputs: 'require' } } as const
      expect(chain.prepare(pendingOf(chain, spendingAll), settled, completion).claims).toHaveLength(
        12,
      )
    },
  )

  test('asks nothing about witness inputs, and nothing at all when it is off', async () => {
    const { reads, asked } = readsOf(() => 'never')
    expect(await complete(btc, [{ ...spent, script: p2wpkh }], 'require', reads)).toEqual({})
    expect(await complete(btc, [spent], 'off', reads)).toEqual({})
    expect(asked).toEqual([])
  })

  test('asks nothing about a transaction that cannot be signed', async () => {
    const { reads, asked } = readsOf(() => 'never')
    const foreign = { ...spent, script: `76a914${'00'.repeat(20)}88ac` }
    expect(await codeOf(complete(btc, [spent, foreign], 'auto', reads))).toBe('transaction-refused')
    expect(asked).toEqual([])
  })

  test('asks for four at a time', async () => {
    let underWay = 0
    let most = 0
    const { reads } = readsOf(async id => {
      most = Math.max(most, ++underWay)
      await Bun.sleep(2)
      underWay--
      return answers.get(id)
    })
    expect(Object.keys(await complete(btc, spendingAll, 'auto', reads))).toHaveLength(12)
    expect(most).toBe(4)
  })

  const failing = (code: 'network' | 'api-key-refused' | 'interrupted' | 'unexpected') => () => {
    throw new KmsError(code, 'rpc getrawtransaction failed: no')
  }

  test.each(['network', 'api-key-refused'] as const)(
    'goes on without proof after a failure (%s), with one warning; not where it is required',
    async code => {
      const { reads, asked, warnings } = readsOf(failing(code))
      expect(await complete(btc, spendingAll, 'auto', reads)).toEqual({})
      expect(warnings).toEqual(['input amounts not verified: rpc getrawtransaction failed: no'])
      // Those that were under way, and no other.
      expect(asked).toHaveLength(4)
      expect(await codeOf(complete(btc, spendingAll, 'require', reads))).toBe(code)
    },
  )

  test.each(['interrupted', 'unexpected'] as const)(
    'hides no failure of another kind (%s)',
    async code => {
      const { reads, warnings } = readsOf(failing(code))
      for (const setting of ['auto', 'require'] as const) {
        expect(await codeOf(complete(btc, spendingAll, setting, reads))).toBe(code)
      }
      expect(warnings).toEqual([])
    },
  )

  test('keeps what it has got before a failure', async () => {
    const [, , , , fifth] = many
    const { reads, warnings } = readsOf(id =>
      id === fifth?.txId ? failing('network')() : answers.get(id),
    )
    const completion = await complete(btc, spendingAll, 'auto', reads)
    expect(Object.keys(completion).length).toBeGreaterThanOrEqual(4)
    expect(prepare(spendingAll, completion, 'auto').requests).toHaveLength(12)
    expect(warnings).toHaveLength(1)
  })

  test.each([
    ['null', null],
    ['nothing', undefined],
    ['a number', 7],
    ['a list', []],
    ['a description', { hex: previous.raw }],
    ['an empty text', ''],
    ['other text', 'see http://x'],
  ])('takes %s for no answer', async (_, odd) => {
    const { reads, warnings } = readsOf(() => odd)
    expect(await complete(btc, [spent], 'auto', reads)).toEqual({})
    expect(warnings).toEqual([
      'input amounts not verified: rpc getrawtransaction was answered in the wrong shape',
    ])
    expect(await codeOf(complete(btc, [spent], 'require', reads))).toBe('network')
  })

  test('passes on no more than a frame of the pipe holds', async () => {
    const { reads, warnings } = readsOf(() => '00'.repeat(4 * 2 ** 20))
    const completion = await complete(btc, spendingAll, 'auto', reads)
    expect(Object.keys(completion)).toHaveLength(4)
    expect(warnings[0]).toContain('too large to be verified')
    expect(await codeOf(complete(btc, spendingAll, 'require', reads))).toBe('transaction-refused')
  })
})

function prepare(
  inputs: readonly Stated[],
  completion: Completion,
  verifyInputs: Setting = 'auto',
  keys: Own = own,
) {
  const settings = { ...keys.settings, verifyInputs }
  return btc.prepare(pendingOf(btc, inputs), { ...keys, settings }, completion)
}

function complete(
  chain: Chain,
  inputs: readonly Stated[],
  verifyInputs: Setting,
  reads: ChainReads,
): Promise<Completion> {
  const settings = { ...own.settings, verifyInputs }
  return chain.complete(pendingOf(chain, inputs), { ...own, settings }, reads, never)
}

/** Pays all of it but 500 to somebody else. */
function pendingOf({ id: chain }: Chain, inputs: readonly Stated[]): PendingTx {
  const whole = inputs.reduce((sum, { satoshis }) => sum + satoshis, 0)
  return {
    id: '85549f1ff3dd357c69b03e19',
    chain,
    hashes: ['63dde41a-ad9c-4b4b-a697-16af06cd976c'],
    signatures: [],
    serializedTransaction: JSON.stringify({
      version: 2,
      inputs: inputs.map(({ txId, index, satoshis, script }) => ({
        prevTxId: txId,
        outputIndex: index,
        output: { satoshis, script },
      })),
      outputs: [{ satoshis: Math.max(whole - 500, 0), script: `76a914${'11'.repeat(20)}88ac` }],
      nLockTime: 0,
    }),
  }
}

/** The `ChainReads` of a completion that may only call, and what it did. */
function readsOf(answer: (txId: string) => unknown) {
  const asked: string[] = []
  const warnings: string[] = []
  const unexpected = (): never => {
    throw new Error('no other read is expected')
  }
  const reads: ChainReads = {
    get: unexpected,
    post: unexpected,
    node: unexpected,
    nextNonce: unexpected,
    wait: unexpected,
    async rpc(path, method, params) {
      asked.push(`${path} ${method} ${JSON.stringify(params)}`)
      return answer(String(params[0]))
    },
    warn: (event, reason) => warnings.push(`${event}: ${reason}`),
  }
  return { reads, asked, warnings }
}

function statedOf(
  { txId, parts }: { readonly txId: string; readonly parts: RawParts },
  index: number,
): Stated {
  const { satoshis = 0n, script = '' } = parts.outputs[index] ?? {}
  return { txId, index, satoshis: Number(satoshis), script }
}

function proofOf({ txId, raw }: { readonly txId: string; readonly raw: string }): Completion {
  return { [`previous/${txId}`]: raw }
}

/** One hex digit is another one. */
function flipped(digits: string, at: number): string {
  const place = at % digits.length
  const other = ((Number.parseInt(digits[place] ?? '0', 16) + 1) % 16).toString(16)
  return digits.slice(0, place) + other + digits.slice(place + 1)
}

async function codeOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work
    return 'no failure'
  } catch (thrown) {
    return thrown instanceof KmsError ? thrown.code : thrown
  }
}

function ownOf(keys: readonly Uint8Array[]): Own {
  return {
    network: 'mainnet',
    keys: keys.map(bytes => ({ curve: 'secp256k1', bytes })),
    settings: defaultSettings,
  }
}

function hash160(bytes: Uint8Array): string {
  const inner = createHash('sha256').update(bytes).digest()
  return createHash('ripemd160').update(inner).digest('hex')
}

function hexText(maxLength: number) {
  return fc.uint8Array({ maxLength }).map(bytes => Buffer.from(bytes).toString('hex'))
}
