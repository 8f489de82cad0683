import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { recoverTransactionAddress } from 'viem'
import { keccak256, parseTransaction, serializeTransaction } from 'viem/utils'
import { KmsError } from '../../src/base/errors.ts'
import type { Network, PendingTx } from '../../src/base/model.ts'
import { eth } from '../../src/chains/eth.ts'
import { decodeEnvelope } from '../../src/chains/family/evm-envelope.ts'
import {
  type FamilyMember,
  family,
  from,
  type Json,
  key,
  own,
  ownOf,
  pendingOf,
  plain,
  signAll,
  thrownBy,
  to,
} from '../support/evm.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

describe('keys', () => {
  const signatures = [{ id: 'b', index: 4 }]
  test.each([
    ['the first hash', { hashes: ['a', 'b'] }, [{ signatureId: 'a' }]],
    [
      'index 0 of the first hash',
      { index: 0 },
      [{ signatureId: pendingOf(eth, '').hashes[0], index: 0 }],
    ],
    ['a hash before a signature', { hashes: ['a'], signatures }, [{ signatureId: 'a' }]],
    ['the first signature', { hashes: [], signatures }, [{ signatureId: 'b', index: 4 }]],
  ] as readonly (readonly [string, Partial<PendingTx>, unknown])[])('%s', (_name, more, refs) => {
    expect<unknown>(eth.keys(pendingOf(eth, plain, more))).toEqual(refs)
  })

  test('none, when no wallet is named', () => {
    const pending = pendingOf(eth, plain, { hashes: [] })
    expect(thrownBy(() => eth.keys(pending)).message).toBe(
      'the pending transaction names no wallet to sign with',
    )
  })
})

describe.each(family)('$id', ({ chain, id, slug, coin, prefix }) => {
  test('has the keys of protocol/derivation', () => {
    expect(chain.key).toEqual({
      curve: 'secp256k1',
      derivation: {
        kind: 'bip32',
        path: { mainnet: `m/44'/${coin}'/0'/0`, testnet: "m/44'/1'/0'/0" },
        xpub: { mainnet: 0x0488b21e, testnet: 0x0488b21e },
      },
      text: { kind: 'hex', prefix: '0x' },
    })
    expect(chain.walletShape).toEqual(eth.walletShape)
    expect(chain.order).toBe('by-address')
  })

  test('writes its addresses in lower case', () => {
    const { keys } = own
    const [publicKey] = keys
    if (publicKey === undefined) throw new Error('no key')
    expect(chain.address(publicKey, 'mainnet')).toBe(from.replace('0x', prefix))
    expect(chain.address(publicKey, 'testnet')).toBe(from.replace('0x', prefix))
  })

  test('goes out by its own path, and for a virtual account where Tatum has one', () => {
    const signatureId = '0123456789abcdef01234567'
    const withdrawalId = 'd745bf453f6a8b650f0dd2fa'
    const onchain = { path: `/v3/${slug}/broadcast`, body: { txData: '0x', signatureId } }
    expect<unknown>(chain.broadcast({ id: signatureId }, '0x')).toEqual(onchain)
    const isOffchain = id === 'ETH' || id === 'ONE'
    const offchain = {
      path: '/v3/offchain/withdrawal/broadcast',
      body: { currency: id, signatureId, withdrawalId, txData: '0x' },
    }
    expect<unknown>(chain.broadcast({ id: signatureId, withdrawalId }, '0x')).toEqual(
      isOffchain ? offchain : onchain,
    )
  })

  test('does not take what is pending on another chain', () => {
    const pending = { ...pendingOf(chain, plain), chain: id === 'ETH' ? 'BSC' : 'ETH' }
    expect(thrownBy(() => chain.review(pending, own)).code).toBe('transaction-malformed')
  })
})

const amount = fc.bigInt({ min: 1n, max: 10n ** 11n })
const quantity = (value: bigint) =>
  fc.constantFrom(
    value.toString(),
    `0x${value.toString(16)}`,
    `0x${value.toString(16).padStart(64, '0').toUpperCase()}`,
  )
const hexBytes = (length: { readonly minLength?: number; readonly maxLength: number }) =>
  fc.uint8Array(length).map(bytes => `0x${Buffer.from(bytes).toString('hex')}` as const)
const address = hexBytes({ minLength: 20, maxLength: 20 })
const accessList = fc.array(
  fc.record({
    address,
    storageKeys: fc.array(hexBytes({ minLength: 32, maxLength: 32 }), { maxLength: 3 }),
  }),
  { maxLength: 3 },
)
const call = fc.oneof(
  fc.record({ to: address, data: hexBytes({ maxLength: 200 }) }),
  fc.record({ data: hexBytes({ minLength: 1, maxLength: 200 }) }),
)
const common = fc.record({
  nonce: fc.oneof(fc.nat(300), fc.maxSafeNat()),
  gas: fc.bigInt({ min: 200_000n, max: 5_000_000n }),
  value: fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
})
const pricing = fc.oneof(
  fc.record({ type: fc.constant('legacy' as const), gasPrice: amount }),
  fc.record({ type: fc.constant('eip2930' as const), gasPrice: amount, accessList }),
  fc.record({
    type: fc.constant('eip1559' as const),
    maxFeePerGas: amount.map(fee => fee + 10n ** 11n),
    maxPriorityFeePerGas: amount,
    accessList: accessList,
  }),
)
/** A transaction as viem has it. */
const transaction = fc.tuple(call, common, pricing).map(parts => Object.assign({}, ...parts))

describe.each(family)('any transaction of $id', member => {
  const { chain, chainId } = member

  test('is signed as viem reads it, by the key it was to be signed with', async () => {
    const check = async (tx: Json, testnet: boolean) => {
      const network = testnet ? 'testnet' : 'mainnet'
      const { txData, txId } = sign(member, spell(tx), network)
      const { r, s, v, yParity, ...parsed } = parseTransaction(txData)
      expect(parsed).toEqual(withoutEmpty({ ...tx, chainId: chainId[network] }))
      expect(txId).toBe(keccak256(txData))
      const signer = await recoverTransactionAddress({ serializedTransaction: txData as never })
      expect(signer.toLowerCase()).toBe(from)
    }
    await fc.assert(fc.asyncProperty(transaction, fc.boolean(), check))
  })

  test('is hashed as viem would hash it', () => {
    const check = (tx: Json) => {
      const [request] = chain.prepare(pendingOf(chain, spell(tx)), own, {}).requests
      const unsigned = serializeTransaction({ ...tx, chainId: chainId.mainnet } as never)
      expect(`0x${Buffer.from(request?.message ?? []).toString('hex')}`).toBe(keccak256(unsigned))
    }
    fc.assert(fc.property(transaction, check))
  })

  test('means the same in every spelling of its numbers', () => {
    const spelt = transaction.chain(tx => {
      const { nonce, gas, value } = tx
      return fc.record({
        tx: fc.constant(tx),
        numbers: fc.record({
          nonce: quantity(BigInt(nonce)),
          gasLimit: quantity(gas),
          value: quantity(value),
        }),
      })
    })
    const check = ({ tx, numbers }: { tx: Json; numbers: Json }) => {
      expect(sign(member, { ...spell(tx), ...numbers })).toEqual(sign(member, spell(tx)))
    }
    fc.assert(fc.property(spelt, check))
  })

  test('read back from bytes that were changed, is another or none', () => {
    const position = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    const check = (tx: Json, where: number, bit: number) => {
      const { txData } = sign(member, spell(tx))
      const bytes = Buffer.from(txData.slice(2), 'hex')
      // The signature at the end is no part of what is compared.
      const at = Math.floor(where * (bytes.length - 68))
      bytes[at] = (bytes[at] ?? 0) ^ (1 << bit)
      const before = decodeEnvelope(txData)
      let after: unknown
      try {
        after = decodeEnvelope(`0x${bytes.toString('hex')}`)
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(KmsError)
      }
      expect(after).not.toEqual(before)
    }
    fc.assert(fc.property(transaction, position, fc.nat(7), check))
  })

  test('with one member changed, says so or is refused', () => {
    const { data, ...payment } = {
      ...plain,
      data: `0xa9059cbb${to.slice(2).padStart(64, '0')}${'9'.padStart(64, '0')}`,
      gasLimit: '99999',
    }
    const other = fc.oneof(fc.jsonValue(), fc.nat(), address, fc.bigInt({ min: 0n }).map(String))
    for (const honest of [payment, { ...payment, data }]) {
      const before = meaning(member, honest)
      const members = fc.constantFrom(...Object.keys(honest), 'chainId', 'type', 'input', 'gas')
      const check = (name: string, value: unknown) => {
        const after = meaning(member, { ...honest, [name]: value })
        if (isSameMember(member, honest, name, value)) return
        expect(after).not.toEqual(before)
      }
      fc.assert(fc.property(members, other, check))
    }
  })
})

function sign({ chain }: FamilyMember, json: Json, network: Network = 'mainnet') {
  const prepared = chain.prepare(pendingOf(chain, json), ownOf(key, network), {})
  const { txData, txId } = prepared.seal(signAll(prepared, key))
  return { txData: txData as `0x${string}`, txId }
}

/** viem's transaction as Tatum writes it; `gas` would be a guess on XDC. */
function spell({ type: _, gas, ...tx }: Json): Json {
  const text = ([name, value]: readonly [string, unknown]) =>
    [name, typeof value === 'bigint' ? value.toString() : value] as const
  return Object.fromEntries(Object.entries({ ...tx, gasLimit: gas }).map(text))
}

/** viem leaves out what is empty when it reads, the nonce excepted. */
function withoutEmpty(tx: Json): Json {
  const isEmpty = (value: unknown) =>
    value === 0n || value === '0x' || (Array.isArray(value) && value.length === 0)
  return Object.fromEntries(Object.entries(tx).filter(([, value]) => !isEmpty(value)))
}

/** What people see and the ledger books, or the refusal. */
function meaning({ chain }: FamilyMember, json: Json): unknown {
  try {
    const { intent, claims } = chain.prepare(pendingOf(chain, json), own, {})
    return { intent, claims }
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(KmsError)
    return 'refused'
  }
}

/** True for another spelling of what is there already, and for `gas`: `gasLimit` goes before it. */
function isSameMember(
  { chainId, prefix }: FamilyMember,
  json: Json,
  name: string,
  value: unknown,
): boolean {
  // No member is an object here, and one may have a toString of its own.
  if (typeof value === 'object') return false
  const text = String(value)
  if (name === 'input' && !('data' in json)) return text === '' || text === '0x'
  const isNumber = /^(\d{1,19}|0x[0-9a-f]{1,16})$/.test(text)
  if (name === 'gas') return isNumber
  if (name === 'to' && prefix !== '0x' && text === to.replace('0x', prefix)) return true
  const there = { ...json, chainId: chainId.mainnet, type: 0 }[name]
  return text === String(there) || (isNumber && BigInt(text) === BigInt(String(there ?? -1)))
}
