import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { KmsError } from '../../src/base/errors.ts'
import type { Completion } from '../../src/base/model.ts'
import { ada } from '../../src/chains/ada.ts'
import { readSignedText } from '../../src/chains/family/ada-signing.ts'
import {
  type AdaKey,
  adaKeys,
  adaOwn,
  adaPending,
  finishAda,
  gateway,
  operationsOf,
  prepareAda,
  sealAda,
  strangers,
} from '../support/ada.ts'
import { cborOf, type Value } from '../support/cbor.ts'
import { membersOf } from '../support/members.ts'
import { bodyOf, envelopeOf, idOf, payloadsOf, signedOf } from '../support/rosetta.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

// Nothing a gateway answers is believed: what it may say, and what it may not.

const [first, second] = adaKeys as readonly [AdaKey, AdaKey]
const operations = operationsOf()
const text = JSON.stringify(operations)
const good = bodyOf(operations)

describe('what the gateway wants signed is its own claim', () => {
  const [payload] = payloadsOf(good, operations)
  test.each([
    [
      'another hash',
      [{ ...membersOf(payload), hex_bytes: '00'.repeat(32) }],
      /something else than/,
    ],
    ['no hash', [{ ...membersOf(payload), hex_bytes: undefined }], /something else than/],
    ['nothing', [], /other signatures than those of the inputs/],
    ['the same twice', [payload, payload], /other signatures than those of the inputs/],
    [
      'of somebody else',
      [{ ...membersOf(payload), account_identifier: { address: strangers.mainnet } }],
      /other signatures than those of the inputs/,
    ],
    ['of nobody', [{ ...membersOf(payload), account_identifier: {} }], /does not say of whom/],
    ['no list', {}, /without payloads/],
    ['numbers', [7], /something else than/],
  ])('%s', (_, payloads, message) => {
    const reads = gateway('mainnet', (step, answer) =>
      step === 'payloads' ? { ...membersOf(answer), payloads } : answer,
    )
    expect(prepareAda(text, adaOwn(), reads)).rejects.toThrow(message)
  })
})

test.each(['preprocess', 'metadata', 'payloads', 'combine'] as const)(
  'an answer to %s of another form is refused',
  async step => {
    const { txData } = await signed()
    for (const value of [
      null,
      7,
      'x',
      [],
      {},
      { unsigned_transaction: 7, signed_transaction: 7 },
    ]) {
      const reads = gateway('mainnet', (asked, answer) => (asked === step ? value : answer))
      const work = step === 'combine' ? finishAda(txData, reads) : prepareAda(text, adaOwn(), reads)
      const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
      if (isObject && (step === 'preprocess' || step === 'metadata')) await work
      else expect(await codeOf(work)).toBe('network')
    }
  },
)

test('operations and network of a request are ours, whatever was answered before', async () => {
  const asked: unknown[] = []
  const lies = { operations: [], network_identifier: { blockchain: 'bitcoin', network: 'x' } }
  const reads = gateway('mainnet', (_, answer) => ({ ...membersOf(answer), ...lies }))
  await prepareAda(text, adaOwn(), {
    ...reads,
    post: (path, body) => {
      asked.push(body)
      return reads.post(path, body)
    },
  })
  const network_identifier = { blockchain: 'cardano', network: 'mainnet' }
  expect(asked).toMatchObject([
    { network_identifier, operations },
    { network_identifier },
    { network_identifier, operations },
  ])
})

describe('a completion is refused', () => {
  const completion: Completion = {
    unsignedTransaction: envelopeOf(good),
    signers: first.addresses.mainnet,
  }
  test.each<readonly [string, Completion]>([
    ['that is empty', {}],
    ['without the transaction', { signers: completion['signers'] ?? '' }],
    ['without the signers', { unsignedTransaction: completion['unsignedTransaction'] ?? '' }],
    ['with a field more', { ...completion, fee: '1' }],
    ['with no signer', { ...completion, signers: '' }],
    ['with another signer', { ...completion, signers: second.addresses.mainnet }],
    [
      'with the signer twice',
      { ...completion, signers: `${completion['signers']},${completion['signers']}` },
    ],
    ['with half a transaction', { ...completion, unsignedTransaction: envelopeOf(good).slice(2) }],
  ])('%s', (_, changed) => {
    expect(() => ada.prepare(adaPending(text), adaOwn(), changed)).toThrow(KmsError)
  })

  test('unless it is whole', () => {
    const { requests } = ada.prepare(adaPending(text), adaOwn(), completion)
    expect(requests.map(({ message }) => Buffer.from(message).toString('hex'))).toEqual([
      idOf(good),
    ])
  })
})

describe('what comes back combined is refused', () => {
  test.each([
    ['with another body', (witnesses: Value) => signedOf(bodyOf(operations, 1n), witnesses)],
    ['with no signature', () => signedOf(good, [])],
    ['with a signature more', (list: Value) => signedOf(good, [...listOf(list), ...listOf(list)])],
    ['with another signature', (list: Value) => signedOf(good, listOf(list).map(spoil))],
    [
      'with other witnesses besides',
      (list: Value) =>
        `84${good}${cborOf(
          new Map<Value, Value>([
            [0n, list],
            [1n, []],
          ]),
        )}f5f6`,
    ],
    ['with other witnesses instead', () => `84${good}${cborOf(new Map([[2n, []]]))}f5f6`],
    ['unsigned', () => `84${good}a0f5f6`],
    ['as the bare body', () => good],
    ['with metadata', (list: Value) => signedOf(good, list).replace(/f5f6$/, 'f5a0')],
    ['as one that fails', (list: Value) => signedOf(good, list).replace(/f5f6$/, 'f4f6')],
    ['cut off', (list: Value) => signedOf(good, list).slice(0, -2)],
  ])('%s', async (_, make) => {
    const { txData, witnesses } = await signed()
    const reads = combining(envelopeOf(make(witnesses)))
    expect(await codeOf(finishAda(txData, reads))).toBe('transaction-refused')
  })

  test('but for sets that are marked as such, in whatever order', async () => {
    const keys = [first, second]
    const two = operationsOf(keys)
    const prepared = await prepareAda(JSON.stringify(two), adaOwn(keys), gateway())
    const { txData } = sealAda(prepared, keys)
    const list = witnessesOf(txData).toReversed()
    const combined = envelopeOf(signedOf(bodyOf(two), { tag: 258n, item: list }))
    expect(await finishAda(txData, combining(combined))).toEqual({
      txData: combined,
      txId: idOf(bodyOf(two)),
    })
  })
})

test('one digit changed anywhere in a combined transaction is refused, or it is the same payment', async () => {
  const { txData, witnesses } = await signed()
  const whole = signedOf(good, witnesses)
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(14), async (at, by) => {
      const digit = (Number.parseInt(whole.charAt(at), 16) + 1 + by) % 16
      const changed = whole.slice(0, at) + digit.toString(16) + whole.slice(at + 1)
      expect(await codeOf(finishAda(txData, combining(envelopeOf(changed))))).toBe(
        'transaction-refused',
      )
    }),
  )
})

test('one character changed anywhere in what the signer gave out is noticed, or is beside the body', async () => {
  const { txData } = await signed()
  const finished = await finishAda(txData, gateway())
  await fc.assert(
    fc.asyncProperty(fc.nat(txData.length - 1), fc.constantFrom(...'0f"x,'), async (at, other) => {
      const changed = txData.slice(0, at) + other + txData.slice(at + 1)
      const code = await codeOf(finishAda(changed, gateway()))
      // The gateway's own notes stand behind the body: they say nothing to the network.
      if (code === 'done') expect(await finishAda(changed, gateway())).toEqual(finished)
      else expect(code).toMatch(/^(unexpected|transaction-refused)$/)
    }),
  )
})

test('a signature in the name of somebody else is noticed', async () => {
  const { txData } = await signed()
  const changed = txData.replace(first.addresses.mainnet, second.addresses.mainnet)
  expect(await codeOf(finishAda(changed, gateway()))).toBe('unexpected')
})

test('what the signer reads back is the transaction it signed, and no other', async () => {
  const keys = [first, second]
  const two = JSON.stringify(operationsOf(keys))
  const { txData } = sealAda(await prepareAda(two, adaOwn(keys), gateway()), keys)
  const asked = { operations: [], inputs: inputsOf(keys), outputs: outputsOf(keys) }
  expect(readSignedText(txData, asked, adaOwn(keys)).made?.id).toBe(
    idOf(bodyOf(operationsOf(keys))),
  )
  const other = JSON.parse(txData)
  other.signatures[0].public_key.hex_bytes = other.signatures[1].public_key.hex_bytes
  const wrongs = ['', '{}', '[]', txData.slice(0, -1), `${txData} `, JSON.stringify(other)]
  for (const wrong of wrongs) {
    expect(() => readSignedText(wrong, asked, adaOwn(keys))).toThrow(KmsError)
  }
})

function combining(signed_transaction: string) {
  return gateway('mainnet', (step, answer) =>
    step === 'combine' ? { signed_transaction } : answer,
  )
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'done'
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(KmsError)
    return (thrown as KmsError).code
  }
}

/** The good payment as the signer gives it out. */
async function signed() {
  const { txData } = sealAda(await prepareAda(text, adaOwn(), gateway()), adaKeys)
  return { txData, witnesses: witnessesOf(txData) }
}

function witnessesOf(txData: string): Value[] {
  const { signatures } = JSON.parse(txData) as {
    readonly signatures: readonly {
      readonly public_key: { readonly hex_bytes: string }
      readonly hex_bytes: string
    }[]
  }
  return signatures.map(({ public_key, hex_bytes }) => [
    Buffer.from(public_key.hex_bytes, 'hex'),
    Buffer.from(hex_bytes, 'hex'),
  ])
}

function spoil(witness: Value): Value {
  const [key = null, signature] = listOf(witness)
  const bytes = Buffer.from(signature as Buffer)
  bytes[63] = (bytes[63] ?? 0) ^ 1
  return [key, bytes]
}

function listOf(value: Value): Value[] {
  if (!Array.isArray(value)) throw new Error('not a list')
  return value
}

function inputsOf(keys: readonly AdaKey[]) {
  return keys.map(({ addresses }, index) => ({
    txId: 'aa'.repeat(32),
    index,
    address: addresses.mainnet,
    lovelace: 5_000_000n,
  }))
}

function outputsOf([owner]: readonly AdaKey[]) {
  return [
    { address: strangers.mainnet, lovelace: 2_000_000n },
    { address: owner?.addresses.mainnet ?? '', lovelace: 7_830_000n },
  ]
}
