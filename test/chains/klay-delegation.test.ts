import { describe, expect, test } from 'bun:test'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import fc from 'fast-check'
import { keccak256 } from 'viem'
import { KmsError } from '../../src/base/errors.ts'
import { klay } from '../../src/chains/klay.ts'
import {
  type Json,
  key,
  noReads,
  ownOf,
  pendingOf,
  publicKeyOf,
  signAll,
  thrownBy,
  to,
} from '../support/evm.ts'
import { expectReasoned, hostileTexts, largeTexts } from '../support/hostile-text.ts'
import { bytesItem, numberItem, senderRaw, typedPayment } from '../support/klay.ts'
import { readKlay } from '../support/klay-raw.ts'
import { type Item, readRlp, writeRlp } from '../support/rlp.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

const payerKey = key
const own = ownOf(payerKey)
const feePayer = klay.address(publicKeyOf(payerKey), 'mainnet')
const senderKey = new Uint8Array(32).fill(9)
const sender = klay.address(publicKeyOf(senderKey), 'mainnet')
const delegated = typedPayment([1, 2])

const transfer = {
  json: {},
  type: 0x09,
  nonce: 7n,
  gasPrice: 25_000_000_000n,
  gas: 50_000n,
  to,
  value: 5n,
  data: '0x',
  feeRatio: 0n,
}
const raw = senderRaw(transfer, sender, senderKey, 8_217)
const good = { senderRawTransaction: raw, feePayer }

describe('a payment of somebody else whose fee we are to bear', () => {
  test('says what they pay and what it costs us, and uses up no number of ours', async () => {
    const pending = pendingOf(klay, good)
    const signal = new AbortController().signal
    expect(await klay.complete(pending, own, noReads, signal)).toEqual({})
    const { intent, claims } = klay.prepare(pending, own, {})
    expect(intent).toEqual({
      kind: 'fee-delegation',
      from: [sender],
      outputs: [{ to, amount: 5n, asset: 'KLAY', own: false }],
      fee: { amount: 1_250_000_000_000_000n, asset: 'KLAY' },
    })
    expect(claims).toEqual([expect.stringMatching(/^delegated\/0x[0-9a-f]{64}$/)])
  })

  test('to us is said to be so', () => {
    const toUs = senderRaw({ ...transfer, to: feePayer }, sender, senderKey, 8_217)
    const { intent } = klay.prepare(
      pendingOf(klay, { ...good, senderRawTransaction: toUs }),
      own,
      {},
    )
    expect(intent.outputs).toEqual([{ to: feePayer, amount: 5n, asset: 'KLAY', own: true }])
  })

  test('costs the part that the ratio says', () => {
    const shared = { ...transfer, type: 0x0a, feeRatio: 1n, gas: 50_001n, gasPrice: 99n }
    const senderRawTransaction = senderRaw(shared, sender, senderKey, 8_217)
    const { intent } = klay.prepare(pendingOf(klay, { ...good, senderRawTransaction }), own, {})
    expect(intent.fee?.amount).toBe((50_001n * 99n) / 100n)
  })

  test('is not borne above 100 coins without a policy', () => {
    const dear = { ...transfer, gas: 10n ** 8n, gasPrice: 10n ** 12n + 1n }
    const senderRawTransaction = senderRaw(dear, sender, senderKey, 8_217)
    const pending = pendingOf(klay, { ...good, senderRawTransaction })
    expect(thrownBy(() => klay.prepare(pending, own, {}))).toMatchObject({ code: 'policy-denied' })
  })

  test.each(['0x20', '0x21', '0x22'])('of a first byte %s is denied', type => {
    const pending = pendingOf(klay, { ...good, senderRawTransaction: raw.replace('0x09', type) })
    expect(thrownBy(() => klay.prepare(pending, own, {}))).toMatchObject({
      code: 'policy-denied',
      message: expect.stringContaining('lifts KLAY.AccountUpdate'),
    })
  })

  test('is known by what its sender signed, however the signature is written', () => {
    const [body, signatures = [], ...rest] = splitRaw(raw)
    const twice = joinRaw(0x09, [...body, [...listOf(signatures), ...listOf(signatures)], ...rest])
    const claims = (senderRawTransaction: string) =>
      klay.prepare(pendingOf(klay, { ...good, senderRawTransaction }), own, {}).claims
    expect(claims(twice)).toEqual(claims(raw))
  })

  test('of any type is signed as the specification reads it, beside what is signed already', () => {
    fc.assert(
      fc.property(delegated, fc.boolean(), ({ json: _, ...expected }, isNamed) => {
        const bare = senderRaw({ json: _, ...expected }, sender, senderKey, 8_217)
        // Another key of the same fee payer has signed: any signature will do.
        const before = isNamed ? withPayer(bare, feePayer, signatureOf(bare)) : bare
        const { txData, txId } = sign({ senderRawTransaction: before, feePayer })
        const { sent, payers, ...tx } = readKlay(txData, 8_217)
        expect<unknown>(tx).toEqual({ ...expected, from: sender, senders: [sender], feePayer })
        expect(payers).toHaveLength(isNamed ? 2 : 1)
        expect<string | undefined>(payers.at(-1)).toBe(feePayer)
        expect(sent).toEqual(readKlay(bare, 8_217).sent)
        expect<string>(txId).toBe(keccak256(txData as `0x${string}`))
      }),
    )
  })

  test('that we have signed is not signed again', () => {
    const { txData } = sign(good)
    expect(thrownBy(() => sign({ senderRawTransaction: txData, feePayer })).message).toBe(
      'this fee payer has signed the transaction already',
    )
  })
})

describe('what is not borne, and what its sender is told', () => {
  const plainTransfer = raw.replace('0x09', '0x08')
  const high = secp256k1.Point.Fn.ORDER - 9n
  test.each([
    [{ ...good, feePayer: sender }, 'feePayer is not the address of the wallet that is to sign'],
    [{ senderRawTransaction: raw }, 'feePayer is not 0x and 40 hex digits'],
    [{ ...good, value: 1 }, "transaction has an unknown member 'value'"],
    [{ ...good, chainId: 1 }, "chainId is 1, but this wallet's network has chain id 8217"],
    ...[7, null, '', raw.slice(2), `${raw}0`, '0xzz'].map(
      bytes => [withRaw(bytes), 'senderRawTransaction is not 0x and bytes in hex'] as const,
    ),
    [withRaw('0x'), 'senderRawTransaction is not of a type that pays or calls'],
    [
      withRaw(raw.replace('0x09', '0x49')),
      'senderRawTransaction is not of a type that pays or calls',
    ],
    [
      withRaw(raw.replace('0x09', '0xf8')),
      'senderRawTransaction is not of a type that pays or calls',
    ],
    [withRaw(plainTransfer), 'senderRawTransaction is of a type without a fee payer'],
    [withRaw(raw.replace('0x09', '0x11')), 'senderRawTransaction is damaged'],
    [withRaw(`${raw}00`), 'senderRawTransaction is damaged'],
    [withRaw(raw.slice(0, -2)), 'senderRawTransaction is damaged'],
    [withRaw(`0x09${'00'.repeat(131_072)}`), 'senderRawTransaction is longer than 131072 bytes'],
    [
      withRaw(senderRaw(transfer, sender, senderKey, 1_001)),
      'senderRawTransaction has a signature that is not one for chain id 8217',
    ],
    [
      withRaw(withSender(numberItem(16_470n), numberItem(9n), numberItem(high))),
      'senderRawTransaction has a signature that is not one for chain id 8217',
    ],
    [
      withRaw(withSender(numberItem(1n), numberItem(0n), numberItem(0n))),
      'senderRawTransaction is not signed by its sender',
    ],
    [withRaw(withPayer(raw, to)), 'senderRawTransaction names another fee payer'],
    [withRaw(withPayer(raw, to, signatureOf(raw))), 'senderRawTransaction names another fee payer'],
    [
      withRaw(withPayer(raw, `0x${'00'.repeat(20)}`, signatureOf(raw))),
      'senderRawTransaction is signed by a fee payer whom it does not name',
    ],
    [
      withRaw(senderRaw({ ...transfer, type: 0x0a, feeRatio: 100n }, sender, senderKey, 8_217)),
      'senderRawTransaction is damaged',
    ],
    [
      withRaw(senderRaw({ ...transfer, type: 0x29, data: '0xaa' }, sender, senderKey, 8_217)),
      'senderRawTransaction is damaged',
    ],
    [
      withRaw(senderRaw({ ...transfer, to: '0x' }, sender, senderKey, 8_217)),
      'senderRawTransaction is damaged',
    ],
    [withRaw(senderRaw(transfer, '0x', senderKey, 8_217)), 'senderRawTransaction is damaged'],
  ] as readonly (readonly [unknown, string])[])('%j: %s', (json, message) => {
    const refusal = thrownBy(() => klay.prepare(pendingOf(klay, json), own, {}))
    expect(refusal.message).toBe(message)
    expect(refusal.code).toMatch(/^transaction-(malformed|refused)$/)
  })

  test('a completion has nothing to add', () => {
    expect(thrownBy(() => klay.prepare(pendingOf(klay, good), own, { gas: '50000' })).message).toBe(
      'completion sets a field that the transaction does not lack',
    )
  })
})

describe('any raw transaction', () => {
  test('changed by a bit is another one or refused', () => {
    const position = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    const check = (payment: Parameters<typeof senderRaw>[0], where: number, bit: number) => {
      const before = senderRaw(payment, sender, senderKey, 8_217)
      const bytes = Buffer.from(before.slice(2), 'hex')
      const at = Math.floor(where * bytes.length)
      bytes[at] = (bytes[at] ?? 0) ^ (1 << bit)
      let after = ''
      try {
        after = sign(withRaw(`0x${bytes.toString('hex')}`)).txData
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(KmsError)
      }
      expect(after).not.toBe(sign(withRaw(before)).txData)
    }
    fc.assert(fc.property(delegated, position, fc.nat(7), check))
  })

  test('of random or truncated bytes is refused with a reason', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc
        .tuple(fc.constantFrom(0x09, 0x0a, 0x12, 0x29, 0x3a), fc.uint8Array({ maxLength: 300 }))
        .map(([type, rest]) => Uint8Array.of(type, ...rest)),
      fc.nat(raw.length / 2 - 2).map(length => bytesItem(raw).subarray(0, length)),
    )
    fc.assert(
      fc.property(bytes, sent => {
        const json = withRaw(`0x${Buffer.from(sent).toString('hex')}`)
        const { code } = thrownBy(() => klay.prepare(pendingOf(klay, json), own, {}))
        // A byte may be the type of a transaction that is known, and not allowed.
        expect(code).toMatch(/^transaction-|^policy-denied$/)
      }),
    )
  })

  test('in any JSON is a transaction or a reasoned refusal, never a crash', () => {
    fc.assert(
      fc.property(hostileTexts(good, ['type', 'gas', 'chainId']), text => {
        expectReasoned(klay, own, text)
      }),
    )
  })

  test.each([
    ...largeTexts(good, 'senderRawTransaction'),
    // A type, then lists of lists, or more items than any transaction has.
    JSON.stringify(withRaw(`0x09${'c1'.repeat(131_000)}`)),
    JSON.stringify(withRaw(`0x09fa01ff00${'01'.repeat(130_816)}`)),
  ])('of half a megabyte is refused at once', text => {
    expectReasoned(klay, own, text)
  })
})

function sign(json: Json) {
  const prepared = klay.prepare(pendingOf(klay, json), own, {})
  return prepared.seal(signAll(prepared, payerKey))
}

function withRaw(senderRawTransaction: unknown): Json {
  return { ...good, senderRawTransaction }
}

/** What the sender signed of, the sender's signatures, the fee payer, the fee payer's signatures. */
function splitRaw(hex: string): readonly [readonly Item[], Item, Item, Item] {
  const items = listOf(readRlp(bytesItem(hex).subarray(1)))
  const [signatures = [], payer = [], payerSignatures = []] = items.slice(-3)
  return [items.slice(0, -3), signatures, payer, payerSignatures]
}

function joinRaw(type: number, items: readonly Item[]): string {
  return `0x${Buffer.concat([Uint8Array.of(type), writeRlp(items)]).toString('hex')}`
}

function withPayer(hex: string, payer: string, signature?: Item): string {
  const [body, signatures, , nobody] = splitRaw(hex)
  const signed = signature === undefined ? nobody : [signature]
  return joinRaw(Number(hex.slice(0, 4)), [...body, signatures, bytesItem(payer), signed])
}

/** The transfer with numbers of this signature replaced, from the first. */
function withSender(...numbers: readonly Uint8Array[]): string {
  const [body, , ...rest] = splitRaw(raw)
  const replaced = listOf(signatureOf(raw)).map((item, i) => numbers[i] ?? item)
  return joinRaw(0x09, [...body, [replaced], ...rest])
}

function signatureOf(hex: string): Item {
  return listOf(splitRaw(hex)[1])[0] ?? []
}

function listOf(item: Item): readonly Item[] {
  return item instanceof Uint8Array ? [] : item
}
