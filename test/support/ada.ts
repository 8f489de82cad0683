import { isDeepStrictEqual } from 'node:util'
import type { ChainReads, Network, PendingTx, PublicKey, Signed } from '../../src/base/model.ts'
import { ada } from '../../src/chains/ada.ts'
import type { Own, Prepared } from '../../src/chains/chain.ts'
import { defaultSettings } from '../../src/chains/settings.ts'
import { publicKeyOf, sign } from '../../src/secret/sign.ts'
import wallets from '../vectors/wallets.json'
import { noReads } from './evm.ts'
import { membersOf } from './members.ts'
import type { RecordedCase, RecordedExchange } from './recorded-cases.ts'
import { type Construction, construct } from './rosetta.ts'

/** Payments that recorded keys can make on Cardano, and gateways that make transactions of them. */

export type AdaKey = {
  readonly index: number
  readonly secret: Uint8Array
  readonly publicKey: PublicKey
  readonly addresses: Readonly<Record<Network, string>>
}
export type Operation = ReturnType<typeof inputOf> | ReturnType<typeof outputOf>
type Change = (step: Construction, answer: unknown) => unknown

const curve = 'ed25519-bip32'
const mnemonic = `${'abandon '.repeat(11)}about`
const recorded = wallets.filter(wallet => wallet.chain === 'ADA' && wallet.mnemonic === mnemonic)

/** The keys of the mnemonic of eleven times "abandon". */
export const adaKeys: readonly AdaKey[] = recordedKeys('mainnet').map((key, i) => ({
  ...key,
  addresses: { mainnet: key.address, testnet: recordedKeys('testnet')[i]?.address ?? '' },
}))

/** Who is paid in the recorded cases. */
export const strangers = {
  mainnet: 'addr1vxvzf9jzqmaaheaaxasaeekhvf2u6exn3sjqflzyps3u7cg7nd5qn',
  testnet: 'addr_test1vzvzf9jzqmaaheaaxasaeekhvf2u6exn3sjqflzyps3u7cg9meg0k',
} as const

function recordedKeys(network: Network) {
  const derived = recorded.find(({ testnet }) => testnet === (network === 'testnet'))?.derived ?? []
  return derived.flatMap(entry => {
    const { index, privateKey, computedEnterpriseAddress } = membersOf(entry)
    // Some entries are errors of the original.
    if (typeof privateKey !== 'string' || typeof computedEnterpriseAddress !== 'string') return []
    const address = computedEnterpriseAddress
    const secret = Uint8Array.from(Buffer.from(privateKey, 'hex'))
    return [{ index: Number(index), secret, publicKey: publicKeyOf(curve, secret), address }]
  })
}

const currency = { symbol: 'ADA', decimals: 6 }

/** As Tatum writes them (protocol 9). */
export function inputOf(index: number, address: string, coin: string, lovelace: bigint) {
  return {
    operation_identifier: { index, network_index: Number(coin.split(':')[1]) },
    related_operations: [],
    type: 'input',
    status: 'success',
    account: { address, metadata: {} },
    amount: { value: `-${lovelace}`, currency },
    coin_change: { coin_identifier: { identifier: coin }, coin_action: 'coin_created' },
    metadata: {},
  }
}

export function outputOf(index: number, address: string, lovelace: bigint) {
  return {
    operation_identifier: { index, network_index: index },
    related_operations: [],
    type: 'output',
    status: 'success',
    account: { address, metadata: {} },
    amount: { value: `${lovelace}`, currency, metadata: {} },
    metadata: {},
  }
}

/** Spends 5 ADA of each of `keys`: 2 ADA to somebody else, the rest but 0.17 ADA back. */
export function operationsOf(
  keys: readonly AdaKey[] = adaKeys.slice(0, 1),
  network: Network = 'mainnet',
) {
  const addresses = keys.map(key => key.addresses[network])
  const change = 5_000_000n * BigInt(keys.length) - 2_170_000n
  return [
    ...addresses.map((address, i) => inputOf(i, address, `${'aa'.repeat(32)}:${i}`, 5_000_000n)),
    outputOf(keys.length, strangers[network], 2_000_000n),
    outputOf(keys.length + 1, addresses[0] ?? '', change),
  ] as const
}

export function adaOwn(
  keys: readonly AdaKey[] = adaKeys.slice(0, 1),
  network: Network = 'mainnet',
): Own {
  return { network, keys: keys.map(({ publicKey }) => publicKey), settings: defaultSettings }
}

export function adaPending(serializedTransaction: string): PendingTx {
  return { id: 'a1', chain: 'ADA', serializedTransaction, hashes: [], signatures: [] }
}

/** A gateway that answers as `change` has it. */
export function gateway(network: Network = 'mainnet', change: Change = (_, answer) => answer) {
  return readsOf((path, body) => {
    const step = path.split('/').at(-1) as Construction
    return change(step, construct(step, body, network))
  })
}

/** The gateway of one recorded case; it answers what was asked then, and nothing else. */
export function recordedGateway({ http }: Pick<RecordedCase, 'http'>): ChainReads {
  return readsOf((path, body) => {
    const isAsked = ({ request, body: recordedBody }: RecordedExchange) =>
      request.replace('test-api-key', '{apiKey}') === `POST ${path}` &&
      isDeepStrictEqual(JSON.parse(JSON.stringify(body)), recordedBody)
    const found = http.find(isAsked)
    if (found === undefined) throw new Error(`nobody recorded ${path}`)
    return found.response
  })
}

function readsOf(post: (path: string, body: unknown) => unknown): ChainReads {
  return { ...noReads, post: async (path, body) => post(path, body) }
}

/** What front and signer do before anything is signed. */
export async function prepareAda(text: string, own: Own, reads: ChainReads): Promise<Prepared> {
  const pending = adaPending(text)
  const completion = await ada.complete(pending, own, reads, new AbortController().signal)
  return ada.prepare(pending, own, completion)
}

/** What the signer does in earnest. */
export function sealAda(prepared: Prepared, keys: readonly AdaKey[]): Signed {
  return prepared.seal(
    prepared.requests.map(request => {
      const key = keys[request.key]
      if (key === undefined) throw new Error('a request for a key there is not')
      return sign(request, key.secret)
    }),
  )
}

export async function finishAda(
  txData: string,
  reads: ChainReads,
  network: Network = 'mainnet',
): Promise<Signed> {
  const own = { network, settings: defaultSettings }
  const signed = await ada.finish?.(txData, own, reads, new AbortController().signal)
  if (signed === undefined) throw new Error('nothing was finished')
  return signed
}

/** The whole road: the bytes that are sent. */
export async function payAda(
  text: string,
  keys: readonly AdaKey[],
  reads: ChainReads,
  network: Network = 'mainnet',
): Promise<Signed> {
  const prepared = await prepareAda(text, adaOwn(keys, network), reads)
  return finishAda(sealAda(prepared, keys).txData, reads, network)
}
