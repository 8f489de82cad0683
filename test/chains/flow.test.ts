import { describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import type { ChainReads } from '../../src/base/model.ts'
import { flow } from '../../src/chains/flow.ts'
import { noReads, pendingOf, privateKeyOf, thrownBy } from '../support/evm.ts'
import {
  account,
  completion,
  key,
  ownOf,
  paymentOn,
  payments,
  prepare,
  publicKey,
  signaturesOf,
  signFlow,
  to,
} from '../support/flow.ts'
import { flowTxId, payloadDigest, readFlow, readFlowRest } from '../support/flow-chain.ts'
import { type RecordedCase, recordedCases } from '../support/recorded-cases.ts'
import { refusal } from '../support/refusal.ts'
import { verifyEcdsa } from '../support/secp256k1.ts'

const { signal } = new AbortController()
const original = ownOf('original')

describe('a recorded payment', () => {
  const cases = recordedCases('FLOW').map(found => [found.case, found] as const)

  test.each(cases)('is signed, finished and handed in to the byte: %s', async (_name, found) => {
    const { wallets, pending, network, http } = found
    const [wallet] = Object.values(wallets)
    const secret = privateKeyOf(flow, wallet ?? never(), network, pending.index)
    const own = ownOf('original', network, secret)
    const sent = { signatures: [], ...found.pending, chain: 'FLOW' } as never
    const { reads, warned } = recordedReads(found)
    const completed = await flow.complete(sent, own, reads, signal)
    const prepared = flow.prepare(sent, own, completed)
    const { txData } = prepared.seal(signaturesOf(prepared, secret))
    const final = (await flow.finish?.(txData, own, reads, signal)) ?? never()
    const handedIn = http.find(({ request }) => /^POST .*\/v1\/transactions$/.test(request))
    expect(readFlow(final.txData)).toEqual(readFlowRest(handedIn?.body))
    expect(final.txId).toBe(flowTxId(readFlowRest(handedIn?.body)))
    const submission = await flow.submit?.(final.txData, own, reads, signal)
    expect(submission).toEqual({ kind: 'sent', txData: found.expected.txData ?? '' })
    // The node of the recording had ids of its own making.
    expect(warned).toEqual(['transaction has another id'])
  })
})

describe('what people see', () => {
  const assets = {
    FUSD: 'FLOW:A.e223d8a629e49c68.FUSD',
    nft: 'FLOW:A.87fe4ebd0cddde06.TatumMultiNFT',
  }
  const note = (text: string) => ({ to: text, amount: 0n, asset: 'FLOW', own: false })
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

  test.each([
    ['transfer', 'transfer', [{ to, amount: 150_000_000n, asset: 'FLOW', own: false }]],
    ['fusd', 'token-transfer', [{ to, amount: 150_000_000n, asset: assets.FUSD, own: false }]],
    ['transferNft', 'nft-transfer', [{ to, amount: 1n, asset: `${assets.nft}#12`, own: false }]],
    ['addKey', 'add-key', [note(`public key ${publicKey}`)]],
    ['createAccount', 'create-account', [note(`public key ${publicKey}`)]],
  ] as const)('of %s', (name, kind, outputs) => {
    expect(prepare(payments[name], original).intent).toEqual({
      kind,
      from: [account],
      outputs: [...outputs],
      fee: { amount: 0n, asset: 'FLOW' },
    })
  })

  test.each(['cadence1', 'original'] as const)('of a script of their own (%s)', flowScripts => {
    expect(prepare(payments.custom, ownOf(flowScripts)).intent).toEqual({
      kind: 'custom-script',
      from: [account],
      outputs: [note(`script ${sha256(payments.custom.body.transaction)}`)],
      unread: true,
      fee: { amount: 0n, asset: 'FLOW' },
    })
  })

  test('of a payment of today is the same as of one of the original', () => {
    expect(prepare(payments.transfer).intent).toEqual(prepare(payments.transfer, original).intent)
  })

  test('says what comes back', () => {
    const body = { ...payments.transfer.body, to: account }
    expect(prepare({ type: 2, body }).intent.outputs).toMatchObject([{ to: account, own: true }])
  })

  test('of our own script in the place of theirs is what it does', () => {
    const { script, args } = readFlow(signFlow(payments.transfer).txData)
    const custom = (values: readonly unknown[]) =>
      prepare({ type: 8, body: { account, transaction: script, args: values } }).intent
    expect(custom(args)).toEqual(prepare(payments.transfer).intent)
    expect(custom([])).toMatchObject({ kind: 'custom-script', unread: true })
    expect(custom([...args, ...args])).toMatchObject({ unread: true })
    expect(custom([...args].toReversed())).toMatchObject({ unread: true })
    expect(custom([args[0], { type: 'String', value: to }])).toMatchObject({ unread: true })
  })
})

describe('the script of a payment of today', () => {
  test.each([
    ['mainnet', '0xf233dcee88fe0abe', '0x1654653399040a61'],
    ['testnet', '0x9a0766d93b6608b7', '0x7e60df042a9c0868'],
  ] as const)('takes the contracts of %s, and amount and recipient', (network, tokens, coin) => {
    const { script, args, gasLimit } = readFlow(
      signFlow(paymentOn(network, payments.transfer), ownOf('cadence1', network)).txData,
    )
    expect(script).toStartWith(
      `import FungibleToken from ${tokens}\nimport FlowToken from ${coin}\n\n` +
        'transaction(amount: UFix64, to: Address) {\n',
    )
    // What Cadence 1.0 took away.
    expect(script).not.toMatch(/AuthAccount|getCapability|\.link|\bpub\b|@FungibleToken\.Vault/)
    expect(script).toContain('prepare(signer: auth(BorrowValue) &Account)')
    expect(script).toContain(
      'signer.storage.borrow<auth(FungibleToken.Withdraw) &FlowToken.Vault>(',
    )
    expect(script).toContain('.capabilities.borrow<&{FungibleToken.Receiver}>(')
    const opened = script.replaceAll(/[^{}()]/g, '')
    for (const [a, b] of ['{}', '()']) {
      expect(opened.split(a ?? '').length).toBe(opened.split(b ?? '').length)
    }
    expect(args).toEqual([
      { type: 'UFix64', value: '1.50000000' },
      { type: 'Address', value: paymentOn(network, to) },
    ])
    expect(gasLimit).toBe(9_999)
  })

  test.each(['addKey', 'createAccount', 'transferNft', 'fusd'] as const)(
    'is the only one: %s is refused with the reason',
    name => {
      expect(thrownBy(() => prepare(payments[name]))).toMatchObject({
        code: 'transaction-refused',
        message: expect.stringMatching(/from before Cadence 1\.0: Flow rejects it since/),
      })
    },
  )
})

describe('a signed transaction', () => {
  test('has our signature for key 0 of the account, and places for the others', () => {
    const { txData, txId } = signFlow(payments.transfer)
    const { payloadSignatures, envelopeSignatures, ...rest } = readFlow(txData)
    const [proposed, ours] = payloadSignatures
    expect(proposed).toEqual({ address: '10247089e55180c9', keyIndex: 17, signature: '' })
    expect(envelopeSignatures).toEqual([
      { address: '8ac1e3fa5a6b9f0e', keyIndex: 0, signature: '' },
    ])
    expect(ours).toMatchObject({ address: account.slice(2), keyIndex: 0 })
    const digest = payloadDigest({ ...rest, payloadSignatures, envelopeSignatures })
    expect(verifies(ours?.signature ?? '', digest)).toBe(true)
    expect(txId).toMatch(/^[0-9a-f]{64}$/)
  })

  test('may have an s of either half', () => {
    const half = 2n ** 255n
    const isHigh = Array.from({ length: 20 }, (_, i) => {
      const sequenceNumber = `${i}`
      const { txData } = signFlow(payments.transfer, ownOf(), { ...completion, sequenceNumber })
      const [, ours] = readFlow(txData).payloadSignatures
      return BigInt(`0x${ours?.signature.slice(64)}`) > half
    })
    expect(new Set(isHigh)).toEqual(new Set([true, false]))
  })

  test('is numbered by who appears first: a proposer that pays is one signer', () => {
    const { proposer } = completion
    const added = { ...completion, payer: proposer }
    const { payloadSignatures, envelopeSignatures } = readFlow(
      signFlow(payments.transfer, ownOf(), added).txData,
    )
    expect(payloadSignatures.map(({ address, keyIndex }) => [address, keyIndex])).toEqual([
      [proposer.slice(2), 17],
      [account.slice(2), 0],
    ])
    expect(envelopeSignatures).toMatchObject([{ address: proposer.slice(2), keyIndex: 0 }])
  })

  test('is proposed by the payer alone when both are one key', () => {
    const added = { ...completion, payer: completion.proposer, payerKeyId: '17' }
    const { payloadSignatures, envelopeSignatures } = readFlow(
      signFlow(payments.transfer, ownOf(), added).txData,
    )
    expect(payloadSignatures.map(({ address }) => address)).toEqual([account.slice(2)])
    expect(envelopeSignatures).toMatchObject([{ keyIndex: 17 }])
  })

  test('with a signature of another length is not given out', () => {
    const prepared = prepare(payments.transfer)
    for (const length of [0, 63, 65]) {
      const odd = [{ bytes: new Uint8Array(length), recovery: 0 }]
      expect(() => prepared.seal(odd)).toThrow(refusal('unexpected'))
    }
    expect(() => prepared.seal([])).toThrow(refusal('unexpected'))
  })
})

describe('what can be used once only', () => {
  test('is the payload: another payment of the very same would not be carried out', () => {
    const claims = prepare(payments.transfer).claims
    expect(claims).toEqual([`payload/${digestOf(signFlow(payments.transfer).txData)}`])
    const later = { ...completion, sequenceNumber: '58' }
    expect(prepare(payments.transfer, ownOf(), later).claims).not.toEqual(claims)
  })
})

describe('what the front adds', () => {
  test.each([
    [{}, 'completion does not set referenceBlock to 64 hex digits'],
    [{ ...completion, referenceBlock: 'c5' }, 'completion does not set referenceBlock to'],
    [{ ...completion, referenceBlock: 'C5'.repeat(32) }, 'completion does not set referenceBlock'],
    [{ ...completion, proposer: completion.proposer.slice(2) }, 'completion does not set proposer'],
    [{ ...completion, payer: '0x' }, 'completion does not set payer to 0x and 16 hex digits'],
    [{ ...completion, payer: `${completion.payer}00` }, 'completion does not set payer'],
    [
      { ...completion, proposerKeyId: '-1' },
      'completion sets proposerKeyId to something that is not a whole number',
    ],
    [
      { ...completion, proposerKeyId: '4294967296' },
      'completion sets proposerKeyId to something that is not a whole number',
    ],
    [
      { ...completion, payerKeyId: '00' },
      'completion sets payerKeyId to something that is not a whole number',
    ],
    [
      { ...completion, sequenceNumber: '1e3' },
      'completion sets sequenceNumber to something that is not a whole number',
    ],
    [
      { ...completion, sequenceNumber: '9'.repeat(16) },
      'completion sets sequenceNumber to something that is not a whole number',
    ],
    [{ ...completion, proposer: account }, 'would also propose or pay for the transaction'],
    [{ ...completion, payer: account }, 'would also propose or pay for the transaction'],
    [
      { ...completion, gasLimit: '1' },
      'completion sets a field that the transaction does not lack',
    ],
    [{ ...completion, to }, 'completion sets a field that the transaction does not lack'],
    [
      { ...completion, __proto__: null, amount: '2' },
      'completion sets a field that the transaction',
    ],
  ] as readonly (readonly [Record<string, string>, string])[])('%j: %s', (added, message) => {
    const refused = thrownBy(() => prepare(payments.transfer, ownOf(), added))
    expect(refused).toMatchObject({ code: 'transaction-refused' })
    expect(refused.message).toContain(message)
  })
})

describe('an address', () => {
  test('is the public key, as accounts of Flow are given it', () => {
    const own = ownOf('cadence1', 'mainnet', Uint8Array.of(...new Uint8Array(31), 1))
    const [first] = own.keys
    if (first === undefined) throw new Error('no key')
    expect(flow.address(first, 'mainnet')).toBe(publicKey)
    expect(() => flow.address({ ...first, bytes: new Uint8Array(33) }, 'mainnet')).toThrow(
      refusal('unexpected'),
    )
  })
})

test('Tatum is told of an id at its own path, of virtual accounts too', () => {
  const pending = pendingOf(flow, payments.transfer, { withdrawalId: 'w' })
  expect(flow.broadcast(pending, 'ab')).toEqual({
    path: '/v3/flow/broadcast',
    body: { txData: 'ab', signatureId: pending.id },
  })
})

/** What one recorded case answers, and nothing else. */
function recordedReads({ http }: RecordedCase) {
  const warned: string[] = []
  const answer = async (request: string, body?: unknown): Promise<unknown> => {
    const found = http.find(
      exchange =>
        exchange.request.replace(/https:\/\/[^/]+/, '') === request &&
        Bun.deepEquals(exchange.body, body, true),
    )
    if (found !== undefined) return found.response
    if (request === 'GET /v1/network/parameters') return undefined
    throw new Error(`not recorded: ${request} ${JSON.stringify(body)}`)
  }
  const reading = {
    get: (path: string) => answer(`GET ${path}`),
    find: (path: string) => answer(`GET ${path}`),
    post: (path: string, body: unknown) => answer(`POST ${path}`, body),
  }
  const reads: ChainReads = {
    ...noReads,
    ...reading,
    node: () => reading,
    warn: event => void warned.push(event),
  }
  return { reads, warned }
}

function digestOf(txData: string): string {
  return payloadDigest(readFlow(txData)).toString('hex')
}

function verifies(signature: string, digest: Uint8Array): boolean {
  const [r, s] = [signature.slice(0, 64), signature.slice(64)].map(part => BigInt(`0x${part}`))
  const [own] = ownOf('cadence1', 'testnet', key).keys
  if (r === undefined || s === undefined || own === undefined) return false
  return verifyEcdsa({ r, s }, digest, own.bytes)
}

function never(): never {
  throw new Error('there is none')
}
