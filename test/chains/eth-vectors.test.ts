import { describe, expect, test } from 'bun:test'
import { isDeepStrictEqual } from 'node:util'
import { HDKey } from '@scure/bip32'
import { mnemonicToSeedSync } from '@scure/bip39'
import { parseTransaction } from 'viem/utils'
import { hex } from '../../src/base/bytes.ts'
import { KmsError } from '../../src/base/errors.ts'
import type { ChainReads } from '../../src/base/model.ts'
import { eth } from '../../src/chains/eth.ts'
import {
  ownOf,
  pendingOf,
  privateKeyOf,
  publicKeyOf,
  signAll,
  type WalletEntry,
} from '../support/evm.ts'
import vectors from '../vectors/sign/ETH.json'
import wallets from '../vectors/wallets.json'

type Vector = (typeof vectors)[number]
type Recorded = {
  readonly request: string
  readonly jsonrpc?: { readonly method: string; readonly params: readonly unknown[] }
  readonly result?: unknown
  readonly response?: unknown
}

const signed = vectors.filter(({ expected }) => 'txData' in expected)
const refused = vectors.filter(({ expected }) => expected.outcome === 'refused')

describe('every recorded ETH case', () => {
  test.each(signed.map(vector => [vector.case, vector] as const))(
    '%s gives the bytes of the original',
    async (_name, vector) => {
      const { txData, broadcast } = vector.expected
      const outcome = await sign(vector)
      expect(outcome.txData).toBe(txData ?? '')
      expect(outcome.broadcast).toEqual(broadcast as typeof outcome.broadcast)
    },
  )

  // Which kind of wallet it is only the vault knows: the chain's part is to name no index.
  const byChain = refused.filter(vector => vector.case !== 'mnemonic-no-index')
  test.each(byChain.map(vector => [vector.case, vector] as const))(
    '%s is refused',
    async (_name, vector) => {
      expect(await sign(vector).catch(thrown => thrown)).toBeInstanceOf(KmsError)
    },
  )

  test('mnemonic-no-index asks for a key without an index, which a mnemonic wallet refuses', () => {
    const { pending } = find('mnemonic-no-index')
    expect(eth.keys(pendingOf(eth, '', pending))).toEqual([
      { signatureId: pending.hashes[0] ?? '' },
    ])
  })
})

describe('where the original is wrong', () => {
  test('nonce-0-is-refetched: a nonce of 0 is a given nonce', async () => {
    const { nonce = 0, ...rest } = parse(await sign(find('nonce-0-is-refetched')))
    expect(nonce).toBe(0)
    expect(rest).toMatchObject({ type: 'legacy', gas: 21_000n, gasPrice: 20_000_000_000n })
  })

  test('gasLimit-alias-decimal: decimal digits are as good as hex', async () => {
    const decimal = await sign(find('gasLimit-alias-decimal'))
    expect(decimal.txData).toBe(find('gasLimit-alias').expected.txData ?? '')
  })

  test('eip1559: the two fees of EIP-1559 make a transaction of type 2', async () => {
    expect(parse(await sign(find('eip1559')))).toMatchObject({
      type: 'eip1559',
      chainId: 1,
      nonce: 7,
      gas: 21_000n,
      maxFeePerGas: 40_000_000_000n,
      maxPriorityFeePerGas: 1_000_000_000n,
      value: 1n,
    })
  })

  test('no other case is treated otherwise than by the original', () => {
    const different = vectors.filter(({ expected }) => 'differsFromOriginal' in expected)
    expect(different.map(vector => vector.case)).toEqual([
      'nonce-0-is-refetched',
      'gasLimit-alias-decimal',
      'eip1559',
    ])
  })
})

describe('wallets', () => {
  const recorded = wallets.filter(({ chain }) => chain === 'ETH')

  test('keys and addresses of a mnemonic are those of the original', () => {
    expect(recorded.length).toBeGreaterThan(0)
    for (const { mnemonic, testnet, derived } of recorded) {
      for (const { index, privateKey, address } of derived) {
        const key = privateKeyOf(eth, { mnemonic, testnet }, Number(index))
        expect(`0x${hex(key)}`).toBe(String(privateKey))
        expect(eth.address(publicKeyOf(key), 'mainnet')).toBe(String(address))
      }
    }
  })

  test('the public node of a mnemonic is that of the original', () => {
    for (const { mnemonic, testnet, wallet } of recorded) {
      const { path, xpub } = eth.key.derivation
      const network = testnet ? 'testnet' : 'mainnet'
      const versions = { public: xpub[network], private: 0 }
      const root = HDKey.fromMasterSeed(mnemonicToSeedSync(mnemonic), versions)
      expect(root.derive(path[network]).publicExtendedKey).toBe(wallet.xpub ?? '')
    }
  })
})

async function sign(vector: Vector) {
  const pending = pendingOf(eth, '', vector.pending)
  const [ref] = eth.keys(pending)
  const entries: Readonly<Record<string, WalletEntry>> = vector.wallets
  const wallet = entries[ref?.signatureId ?? '']
  if (wallet === undefined) throw new Error('the case has no such wallet')
  const key = privateKeyOf(eth, wallet, ref?.index)
  const own = ownOf(key, wallet.testnet ? 'testnet' : 'mainnet')
  const completion = await eth.complete(pending, own, readsOf(vector), new AbortController().signal)
  const prepared = eth.prepare(pending, own, completion)
  const { txData } = prepared.seal(signAll(prepared, key))
  return { txData, broadcast: eth.broadcast(pending, txData) }
}

/** The recorded answers; `eth_chainId` is among them and must not be asked for. */
function readsOf(vector: Vector): ChainReads {
  const http: readonly Recorded[] = vector.http
  const answer = async (found: Recorded | undefined, name: string) => {
    if (found === undefined) throw new Error(`unexpected request: ${name}`)
    return found.result ?? found.response
  }
  return {
    get: path =>
      answer(
        http.find(({ request }) => request === `GET ${path}`),
        path,
      ),
    rpc: (path, method, params) => {
      expect(method).not.toBe('eth_chainId')
      const call = { method, params }
      const known = http.find(
        ({ request, jsonrpc }) => request === `POST ${path}` && isDeepStrictEqual(jsonrpc, call),
      )
      return answer(known, method)
    },
    nextNonce: async () => undefined,
  }
}

function find(name: string): Vector {
  const vector = vectors.find(candidate => candidate.case === name)
  if (vector === undefined) throw new Error(`no case ${name}`)
  return vector
}

function parse({ txData }: { readonly txData: string }) {
  return parseTransaction(txData as `0x${string}`)
}
