import { describe, expect, test } from 'bun:test'
import { KmsError } from '../../src/base/errors.ts'
import type { ChainReads, Completion } from '../../src/base/model.ts'
import { egld } from '../../src/chains/egld.ts'
import { readBech32 } from '../support/bech32.ts'
import { completion, contract, from, good, own, prepareEgld, to } from '../support/egld.ts'
import { type Json, noReads, pendingOf, thrownBy } from '../support/evm.ts'
import { rejectionOf } from '../support/secret.ts'

const { signal } = new AbortController()
const base = '/v3/egld/node/{apiKey}'
const config = { erd_chain_id: '1', erd_min_gas_price: 10 ** 9, erd_min_transaction_version: 1 }

/** What the node answers, by path. */
type Answers = Readonly<Record<string, unknown>>

const answers: Answers = {
  [`${base}/network/config`]: { data: { config } },
  [`${base}/address/${from}/nonce`]: { data: { nonce: 7 } },
  [`${base}/transaction/cost`]: { data: { txGasUnits: 50_000, returnMessage: '' } },
}

describe('completion', () => {
  test('asks for all that the network has to say', async () => {
    const sent: unknown[] = []
    const reads = nodeThat(
      {},
      {
        post: async (path, body) => {
          sent.push(body)
          return answers[path]
        },
      },
    )
    const data = 'hello / wörld'
    expect(await complete({ ...good, data }, reads)).toEqual({ ...completion, gasLimit: '50000' })
    expect(sent).toEqual([
      {
        nonce: 7,
        value: '500000000000000000',
        receiver: to,
        sender: from,
        gasPrice: 10 ** 9,
        gasLimit: 0,
        data: 'aGVsbG8gLyB3w7ZybGQ=',
        chainID: '1',
        version: 1,
      },
    ])
  })

  test('does not give a number away twice that the network has not seen yet', async () => {
    const estimated: unknown[] = []
    const post = async (path: string, body: unknown) => {
      estimated.push(body)
      return answers[path]
    }
    const ahead = nodeThat({}, { nextNonce: async () => 9n, post })
    expect(await complete(good, ahead)).toMatchObject({ nonce: '9' })
    // A node executes nothing with a number that is not its next one.
    expect(estimated).toMatchObject([{ nonce: 7 }])
    const behind = nodeThat({}, { nextNonce: async () => 3n })
    expect(await complete(good, behind)).toMatchObject({ nonce: '7' })
  })

  test('of a network that is another one is refused', async () => {
    const other = { data: { config: { ...config, erd_chain_id: 'T' } } }
    const reads = nodeThat({ [`${base}/network/config`]: other })
    expect(await rejectionOf(() => complete(good, reads))).toMatchObject({
      code: 'transaction-refused',
      message: 'the network has the chain id T, which is not one of mainnet',
    })
    const pending = pendingOf(egld, good)
    const onTestnet = await egld.complete(pending, { ...own, network: 'testnet' }, reads, signal)
    expect(onTestnet).toMatchObject({ chainId: 'T' })
  })

  test.each([
    ['insufficient funds', 'insufficient funds'],
    ['a non-payable contract of sandbox-api-key', 'a non-payable contract of [...]'],
    ['no key 4f7e2c91-aaaa-bbbb-cccc-0123456789ab at https://x/y', 'no key [...] at [...]'],
    ['a\u0000b\nc', 'a b c'],
    ['x '.repeat(500), `${'x '.repeat(79)}x`],
  ])('that would fail is a refusal, which holds no key: %p', async (returnMessage, reason) => {
    const failed = { data: { txGasUnits: 0, returnMessage }, error: '' }
    const reads = nodeThat({ [`${base}/transaction/cost`]: failed })
    expect(await rejectionOf(() => complete(good, reads))).toMatchObject({
      code: 'transaction-refused',
      message: `the network says that the payment would fail: ${reason}`,
    })
  })

  test.each([
    ['network/config', null],
    ['network/config', { data: { config: { ...config, erd_min_gas_price: '1' } } }],
    ['network/config', { data: { config: { ...config, erd_chain_id: 1 } } }],
    ['network/config', { data: { config: { ...config, erd_min_transaction_version: 1.5 } } }],
    [`address/${from}/nonce`, { data: { nonce: -1 } }],
    [`address/${from}/nonce`, { data: { nonce: '7' } }],
    [`address/${from}/nonce`, []],
    ['transaction/cost', { data: {} }],
    ['transaction/cost', { data: { txGasUnits: '50000' } }],
    ['transaction/cost', { data: { txGasUnits: 0, returnMessage: '' } }],
    ['transaction/cost', { data: { txGasUnits: 0, returnMessage: { a: 1 } } }],
  ])('with an answer for %s in the wrong shape is a fault of the server', async (path, answer) => {
    const reads = nodeThat({ [`${base}/${path}`]: answer })
    expect(await rejectionOf(() => complete(good, reads))).toMatchObject({ code: 'network' })
  })

  const not = (name: string, least: number | bigint, most: number | bigint) =>
    `completion sets ${name} to something that is not a whole number from ${least} to ${most}`
  test.each([
    [{ nonce: '-1' }, not('nonce', 0, Number.MAX_SAFE_INTEGER)],
    [{ nonce: '07' }, not('nonce', 0, Number.MAX_SAFE_INTEGER)],
    [{ nonce: '9007199254740992' }, not('nonce', 0, Number.MAX_SAFE_INTEGER)],
    [{ gasPrice: '999999999' }, not('gasPrice', 10 ** 9, 10 ** 10)],
    [{ gasPrice: '10000000001' }, not('gasPrice', 10 ** 9, 10 ** 10)],
    [{ gasPrice: '1e9' }, not('gasPrice', 10 ** 9, 10 ** 10)],
    [{ gasLimit: '49999' }, not('gasLimit', 50_000, 600_000_000)],
    [{ gasLimit: '600000001' }, not('gasLimit', 50_000, 600_000_000)],
    [{ version: '0' }, not('version', 1, 2)],
    [{ version: '3' }, not('version', 1, 2)],
    [{ chainId: 'T' }, 'the network has the chain id T, which is not one of mainnet'],
    [{ chainId: '<script>' }, 'the network has the chain id, which is not one of mainnet'],
    [{ chainId: '' }, 'the network has the chain id, which is not one of mainnet'],
    [{ value: '1' }, 'completion sets a field that the transaction does not lack'],
    [{ receiver: to }, 'completion sets a field that the transaction does not lack'],
  ] as readonly (readonly [Completion, string])[])(
    '%j is refused by the signer',
    (added, message) => {
      const refusal = thrownBy(() => prepareEgld(good, added))
      expect(refusal).toMatchObject({ code: 'transaction-refused', message })
    },
  )

  test('that is not there is missed by the signer', () => {
    const pending = pendingOf(egld, good)
    for (const name of Object.keys(completion)) {
      const { [name]: _, ...rest } = completion
      expect(() => egld.prepare(pending, own, rest)).toThrow(KmsError)
    }
  })

  function complete(json: Json, reads: ChainReads): Promise<Completion> {
    return egld.complete(pendingOf(egld, json), own, reads, signal)
  }
})

// mx-sdk-js-core, transferTransactionsFactory.spec.ts
const bob = 'erd1spyavw0956vq68xj8y4tenjpq2wd5a9p2c6j8gsz7ztyrnpxrruqzu66jx'
const bobKey = readBech32(bob).bytes.toString('hex')
const hex = (text: string) => Buffer.from(text).toString('hex')

test('on the second testnet, addresses have numbers of their own', async () => {
  const other = { data: { config: { ...config, erd_chain_id: 'D' } } }
  const asked: string[] = []
  const nextNonce = async (account: string) => {
    asked.push(account)
    return 9n
  }
  const reads = nodeThat({ [`${base}/network/config`]: other }, { nextNonce })
  const testnet = { ...own, network: 'testnet' } as const
  const added = await egld.complete(pendingOf(egld, good), testnet, reads, signal)
  expect(added).toMatchObject({ chainId: 'D', nonce: '9' })
  expect(asked).toEqual([`${from}_D`])
  const claims = (chainId: string) => prepareEgld(good, { chainId }, 'testnet').claims
  expect(claims('D')).toEqual([`nonce/${from}_D/7`])
  expect(claims('T')).toEqual([`nonce/${from}/7`])
})

describe('what people see', () => {
  const seen = (changes: Json) => {
    const { kind, outputs, unread } = egld.review(pendingOf(egld, { ...good, ...changes }), own)
    return { kind, outputs, ...(unread && { unread }) }
  }

  test('a payment', () => {
    const { intent, claims } = prepareEgld(good, { gasLimit: '50000' })
    expect(intent).toEqual({
      kind: 'transfer',
      from: [from],
      outputs: [{ to, amount: 5n * 10n ** 17n, asset: 'EGLD', own: false }],
      fee: { amount: 50_000n * 10n ** 9n, asset: 'EGLD' },
    })
    expect(claims).toEqual([`nonce/${from}/7`])
    expect(egld.review(pendingOf(egld, good), own).fee).toBeUndefined()
    expect(seen({ to: from }).outputs[0]?.own).toBe(true)
  })

  test('gas above that for carrying it at a hundredth of its price, and no fee too high', () => {
    const data = 'x'.repeat(10)
    const fee = (gasLimit: string) =>
      prepareEgld({ ...good, data }, { gasLimit }).intent.fee?.amount
    expect(fee('65000')).toBe(65_000n * 10n ** 9n)
    expect(fee('65001')).toBe(65_000n * 10n ** 9n + 10n ** 7n)
    const dear = { gasPrice: '10000000000', gasLimit: '600000000' }
    expect(prepareEgld(good, dear).intent.fee?.amount).toBe(60_495_000n * 10n ** 9n)
    const heavy = { ...good, data: 'x'.repeat(30_000) }
    expect(thrownBy(() => prepareEgld(heavy, dear)).code).toBe('policy-denied')
  })

  test('a token', () => {
    const data = `ESDTTransfer@${hex('FOO-6ce17b')}@0de0b6b3a7640000`
    const token = { to, amount: 10n ** 18n, asset: 'EGLD:FOO-6ce17b', own: false }
    expect(seen({ value: undefined, data })).toEqual({ kind: 'token-transfer', outputs: [token] })
    const coin = { to, amount: 5n * 10n ** 17n, asset: 'EGLD', own: false }
    expect(seen({ data })).toEqual({ kind: 'token-transfer', outputs: [coin, token] })
    expect(seen({ value: undefined, data: `${data}@${hex('swap')}@01` })).toEqual({
      kind: 'token-transfer',
      outputs: [token],
      unread: true,
    })
  })

  test('an NFT, which goes to the recipient in its arguments', () => {
    const data = `ESDTNFTTransfer@4e46542d313233343536@0a@01@${bobKey}`
    expect(seen({ to: from, value: '0', data })).toEqual({
      kind: 'nft-transfer',
      outputs: [{ to: bob, amount: 1n, asset: 'EGLD:NFT-123456#10', own: false }],
    })
  })

  test('several tokens at once, EGLD among them', () => {
    const data = `MultiESDTNFTTransfer@${bobKey}@03@4e46542d313233343536@0a@01@${hex('FOO-6ce17b')}@@02@45474c442d303030303030@@0de0b6b3a7640000`
    expect(seen({ to: from, value: 0, data })).toEqual({
      kind: 'nft-transfer',
      outputs: [
        { to: bob, amount: 1n, asset: 'EGLD:NFT-123456#10', own: false },
        { to: bob, amount: 2n, asset: 'EGLD:FOO-6ce17b', own: false },
        { to: bob, amount: 10n ** 18n, asset: 'EGLD', own: false },
      ],
    })
    expect(seen({ to: from, value: 0, data: `${data}@${hex('call')}` }).unread).toBe(true)
  })

  const nft = '4e46542d313233343536'
  test.each([
    ['an unknown function', 'issue@aa@bb'],
    ['one with an argument in half bytes', `ESDTTransfer@${nft}@1`],
    ['one without an amount', `ESDTTransfer@${nft}`],
    ['one without a token', 'ESDTTransfer@@01'],
    ['a token with a name that cannot be read', 'ESDTTransfer@00ff@01'],
    ['an amount that is no hex', `ESDTTransfer@${nft}@zz`],
    ['an amount beyond measure', `ESDTTransfer@${nft}@${'ff'.repeat(33)}`],
    ['another letter case', `esdttransfer@${nft}@01`],
    ['an NFT sent to its recipient and not to oneself', `ESDTNFTTransfer@${nft}@0a@01@${bobKey}`],
    ['several sent to somebody', `MultiESDTNFTTransfer@${bobKey}@01@${nft}@0a@01`],
  ])('%s is signed as unread', (_name, data) => {
    const [output] = seen({ to: contract, data }).outputs
    expect(seen({ to: contract, data })).toMatchObject({ kind: 'contract-call', unread: true })
    expect(output?.to).toBe(contract)
    expect(prepareEgld({ ...good, to: contract, data }).requests).toHaveLength(1)
  })

  test.each([
    ['an NFT for a text', `ESDTNFTTransfer@${nft}@0a@01@${hex(bob)}`],
    ['several that are none', `MultiESDTNFTTransfer@${bobKey}@@`],
    ['several that are fewer', `MultiESDTNFTTransfer@${bobKey}@02@${nft}@0a@01`],
    ['several without an end', `MultiESDTNFTTransfer@${bobKey}@ffffffff@${nft}@0a@01`],
  ])('%s is signed as unread, too', (_name, data) => {
    expect(seen({ to: from, data })).toMatchObject({ kind: 'transfer', unread: true })
  })

  test('a remark stands with the recipient: it may say whose money it is', () => {
    expect(seen({ data: 'deposit 7' })).toEqual({
      kind: 'transfer',
      outputs: [
        {
          to: `${to}?data=${hex('deposit 7')}`,
          amount: 5n * 10n ** 17n,
          asset: 'EGLD',
          own: false,
        },
      ],
      unread: true,
    })
    expect(seen({ data: 'x'.repeat(257) }).outputs[0]?.to).toBe(to)
  })
})

test('keys of another kind have no address', () => {
  const bytes = new Uint8Array(33).fill(2)
  expect(thrownBy(() => egld.address({ curve: 'secp256k1', bytes }, 'mainnet')).code).toBe(
    'unexpected',
  )
})

function nodeThat(changes: Answers, does: Partial<ChainReads> = {}): ChainReads {
  const all = { ...answers, ...changes }
  const answer = async (path: string) => {
    if (!Object.hasOwn(all, path)) throw new Error(`unexpected request: ${path}`)
    return all[path]
  }
  return { ...noReads, get: answer, post: answer, ...does }
}
