import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { ada } from '../../src/chains/ada.ts'
import { readSigned, readUnsigned } from '../../src/chains/family/ada-body.ts'
import { verify } from '../../src/secret/sign.ts'
import { parsePending } from '../../src/tatum/pending.ts'
import {
  type AdaKey,
  adaKeys,
  adaOwn,
  adaPending,
  finishAda,
  gateway,
  inputOf,
  operationsOf,
  outputOf,
  payAda,
  prepareAda,
  recordedGateway,
  sealAda,
  strangers,
} from '../support/ada.ts'
import { settleAda } from '../support/fake-chains/ada.ts'
import { type RecordedCase, recordedCases } from '../support/recorded-cases.ts'
import { bodyOf, envelopeOf, idOf, payloadsOf, signedOf } from '../support/rosetta.ts'
import * as java from '../vectors/rosetta-java.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

const [first, second, third] = adaKeys as readonly [AdaKey, AdaKey, AdaKey]

describe('recorded cases', () => {
  const named = recordedCases('ADA').map(found => [found.network, found.case, found] as const)

  test.each(named)(
    '%s %s is signed, byte for byte as by the original',
    async (network, _, found) => {
      const pending = pendingOf(found)
      const keys = ada.keys(pending).map(({ index = 0 }) => adaKeys[index] ?? first)
      const reads = recordedGateway(found)
      const text = pending.serializedTransaction
      const { txData, txId } = await payAda(text, keys, reads, network)
      expect(txData).toBe(found.expected.txData ?? '')
      expect<unknown>(ada.broadcast(pending, txData)).toEqual(found.expected.broadcast)
      expect(settleAda(txData, pending, network).txId).toBe(txId)
    },
  )

  function pendingOf({ pending }: RecordedCase) {
    return parsePending({ chain: 'ADA', ...pending })
  }
})

describe('a gateway of today', () => {
  test('makes transactions that are read, sets and all', () => {
    expect(readUnsigned(java.unsignedTransaction, 'testnet')).toMatchObject(java.payment)
  })

  test('combines them with signatures that are read', () => {
    const { body, witnesses } = readSigned(java.signedTransaction)
    expect(witnesses).toEqual([java.signer])
    const { bytes } = readUnsigned(java.unsignedTransaction, 'testnet')
    expect(Buffer.compare(body, bytes)).toBe(0)
  })

  test.each([
    ['bare', envelopeOf],
    ['in a transaction not signed', (body: string) => envelopeOf(`84${body}a0f5f6`)],
    ['in a transaction of before Alonzo', (body: string) => envelopeOf(`83${body}a0f6`)],
  ])('may answer the body %s', async (_, envelope) => {
    const operations = operationsOf()
    const body = bodyOf(operations)
    const reads = gateway('mainnet', (step, answer) => {
      if (step === 'payloads') {
        const payloads = payloadsOf(body, operations)
        return { unsigned_transaction: envelope(body), payloads }
      }
      return answer
    })
    const prepared = await prepareAda(JSON.stringify(operations), adaOwn(), reads)
    expect(sealAda(prepared, adaKeys).txId).toBe(idOf(body))
  })
})

describe('keys', () => {
  test.each(adaKeys)('index $index has its recorded addresses', ({ publicKey, addresses }) => {
    expect(ada.address(publicKey, 'mainnet')).toBe(addresses.mainnet)
    expect(ada.address(publicKey, 'testnet')).toBe(addresses.testnet)
  })

  const wallet = '0f1c39fa-7a53-4468-81b1-8f2e220e2183'
  const other = '58087d99-b9be-48d8-8c39-24d307a4bd53'
  const named = { ...adaPending('[]'), hashes: [wallet], signatures: [{ id: other, index: 3 }] }

  test('on chain are those of hashes, then those of signatures', () => {
    expect(ada.keys(named)).toEqual([{ signatureId: wallet }, { signatureId: other, index: 3 }])
  })

  test('a wallet that is named in both is meant with its index', () => {
    const hashes = [other, wallet]
    expect(ada.keys({ ...named, hashes })).toEqual([
      { signatureId: wallet },
      { signatureId: other, index: 3 },
    ])
  })

  test('of a virtual account are those of signatures alone', () => {
    const withdrawalId = '5e6be8e9e6aa436299950c41'
    expect(ada.keys({ ...named, withdrawalId })).toEqual([{ signatureId: other, index: 3 }])
    expect(() => ada.keys({ ...named, withdrawalId, signatures: [] })).toThrow('names no key')
  })

  test('are missing where a payment names none', () => {
    expect(() => ada.keys(adaPending('[]'))).toThrow('names no key')
  })

  test('that own no input do not sign', async () => {
    const own = adaOwn([second, first, third])
    const { requests } = await prepareAda(JSON.stringify(operationsOf([first])), own, gateway())
    expect(requests.map(({ key }) => key)).toEqual([1])
  })

  test('sign once, however many inputs they own and however often they are named', async () => {
    const own = adaOwn([first, first, first])
    const text = JSON.stringify(operationsOf([first, first, first]))
    const { requests } = await prepareAda(text, own, gateway())
    expect(requests.map(({ key }) => key)).toEqual([0])
  })

  test('sign in the order of the gateway', async () => {
    const keys = [first, second, third]
    const reads = gateway('mainnet', (step, answer) => {
      if (step !== 'payloads') return answer
      const { payloads, ...rest } = answer as { payloads: readonly unknown[] }
      return { ...rest, payloads: payloads.toReversed() }
    })
    const prepared = await prepareAda(JSON.stringify(operationsOf(keys)), adaOwn(keys), reads)
    expect(prepared.requests.map(({ key }) => key)).toEqual([2, 1, 0])
    const { txData } = await finishAda(sealAda(prepared, keys).txData, reads)
    const pending = adaPending(JSON.stringify(operationsOf(keys)))
    expect(settleAda(txData, pending, 'mainnet').from).toHaveLength(3)
  })
})

test('the intent says who pays whom how much, and what comes back', () => {
  const text = JSON.stringify(operationsOf([first, second], 'testnet'))
  expect(ada.review(adaPending(text), adaOwn([first, second], 'testnet'))).toEqual({
    kind: 'transfer',
    from: [first.addresses.testnet, second.addresses.testnet],
    outputs: [
      { to: strangers.testnet, amount: 2_000_000n, asset: 'ADA', own: false },
      { to: first.addresses.testnet, amount: 7_830_000n, asset: 'ADA', own: true },
    ],
    fee: { amount: 170_000n, asset: 'ADA' },
  })
})

test('every input is claimed', async () => {
  const text = JSON.stringify(operationsOf([first, second]))
  const { claims } = await prepareAda(text, adaOwn([first, second]), gateway())
  expect(claims).toEqual([0, 1].map(index => `output/${'aa'.repeat(32)}:${index}`))
})

test.each([
  [2_000_000n, undefined],
  [2_000_001n, 'fee of 2000001 ADA base units is above the limit of 2000000'],
])('a fee of %s lovelace: %s', async (fee, refusal) => {
  const coin = `${'cc'.repeat(32)}:7`
  const text = JSON.stringify([
    inputOf(0, first.addresses.mainnet, coin, 9_000_000n),
    outputOf(1, strangers.mainnet, 9_000_000n - fee),
  ])
  const prepared = prepareAda(text, adaOwn(), gateway())
  if (refusal === undefined) await prepared
  else expect(prepared).rejects.toMatchObject({ code: 'policy-denied', message: refusal })
})

test('what the signer gives out is all that it takes to finish, and is the same every time', async () => {
  const text = JSON.stringify(operationsOf())
  const { txData } = sealAda(await prepareAda(text, adaOwn(), gateway()), adaKeys)
  expect(sealAda(await prepareAda(text, adaOwn(), gateway()), adaKeys).txData).toBe(txData)
  const [one, two] = [await finishAda(txData, gateway()), await finishAda(txData, gateway())]
  expect(one).toEqual(two)
  expect(settleAda(one.txData, adaPending(text), 'mainnet').txId).toBe(one.txId)
})

describe('any payment', () => {
  const lovelace = fc.bigInt({ min: 1_000_000n, max: 10n ** 13n })
  const payments = fc
    .record({
      network: fc.constantFrom('mainnet', 'testnet'),
      owners: fc.array(fc.constantFrom(first, second, third), { minLength: 1, maxLength: 5 }),
      coins: fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), {
        minLength: 5,
        maxLength: 5,
      }),
      index: fc.nat(65_535),
      amounts: fc.array(lovelace, { minLength: 1, maxLength: 5 }),
      fee: fc.bigInt({ min: 0n, max: 2_000_000n }),
    })
    .map(({ network, owners, coins, index, amounts, fee }) => {
      const total = amounts.reduce((sum, amount) => sum + amount, fee)
      const operations = [
        ...owners.map((owner, i) => {
          const coin = `${Buffer.from(coins[i] ?? []).toString('hex')}:${(index + i) % 65_536}`
          // The last one pays for all that the others do not.
          const share = i + 1 < owners.length ? 1n : total - BigInt(owners.length - 1)
          return inputOf(i, owner.addresses[network], coin, share)
        }),
        ...amounts.map((amount, i) => outputOf(owners.length + i, strangers[network], amount)),
      ]
      return { network, text: JSON.stringify(operations) }
    })

  test('is signed so that another reader finds in it what was asked', async () => {
    const keys = [third, first, second]
    await fc.assert(
      fc.asyncProperty(payments, async ({ network, text }) => {
        const own = adaOwn(keys, network)
        const prepared = await prepareAda(text, own, gateway(network))
        const sealed = sealAda(prepared, keys)
        const { txData, txId } = await finishAda(sealed.txData, gateway(network), network)
        expect(txId).toBe(sealed.txId)
        const settled = settleAda(txData, adaPending(text), network)
        expect(settled.txId).toBe(txId)
        expect(settled.claims.toSorted()).toEqual(prepared.claims.toSorted())
        expect(settled.paid).toEqual(
          prepared.intent.outputs.map(({ to, amount, asset }) => ({ to, amount, asset })),
        )
      }),
      { numRuns: Number(process.env['FC_NUM_RUNS'] ?? 30) },
    )
  })
})

test('signatures are those that our own verification accepts, too', async () => {
  const prepared = await prepareAda(JSON.stringify(operationsOf()), adaOwn(), gateway())
  const [request] = prepared.requests
  const { signatures } = JSON.parse(sealAda(prepared, adaKeys).txData)
  const bytes = Uint8Array.from(Buffer.from(signatures[0].hex_bytes, 'hex'))
  if (request === undefined) throw new Error('nothing is signed')
  expect(verify(request, { bytes, recovery: 0 }, first.publicKey)).toBe(true)
})

test('a transaction of before Alonzo may come back, as the first gateways wrote it', async () => {
  const text = JSON.stringify(operationsOf())
  const { txData } = sealAda(await prepareAda(text, adaOwn(), gateway()), adaKeys)
  const early = gateway('mainnet', (step, answer) => {
    if (step !== 'combine') return answer
    const { signatures } = JSON.parse(txData)
    const [key, signature] = [signatures[0].public_key.hex_bytes, signatures[0].hex_bytes]
    const witness = [Buffer.from(key, 'hex'), Buffer.from(signature, 'hex')]
    const whole = signedOf(bodyOf(operationsOf()), [witness])
    return { signed_transaction: envelopeOf(`83${whole.slice(2, -4)}f6`) }
  })
  expect((await finishAda(txData, early)).txId).toBe(idOf(bodyOf(operationsOf())))
})
