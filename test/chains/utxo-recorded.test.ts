import { describe, expect, test } from 'bun:test'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import type { PendingTx, Signed } from '../../src/base/model.ts'
import type { Chain } from '../../src/chains/chain.ts'
import { defaultSettings } from '../../src/chains/settings.ts'
import { parsePending } from '../../src/tatum/pending.ts'
import { type RecordedCase, recordedCases } from '../support/recorded-cases.ts'
import { recordedKey } from '../support/recorded-keys.ts'
import { faultOf, publicOf, utxoChains } from '../support/utxo.ts'

const unsignable = 'transaction-refused'
const notOurs = 'input 0 belongs to none of the keys of this payment'

/** What we answer instead of signing. The original broadcasts `wrong-key` unsigned. */
const answers: Readonly<Record<string, readonly [code: string, message: string]>> = {
  'hash-mismatch': [unsignable, 'hash is not the id of the transaction'],
  'wrong-key': [unsignable, notOurs],
  'offchain-no-withdrawalResponses': [
    unsignable,
    'the withdrawal names no wallet or does not say which deposits it spends',
  ],
  'taproot-input': [unsignable, 'input 0 is taproot, which is not signed here'],
  'p2wpkh-input': [unsignable, 'input 0 is P2WPKH, which is not signed here'],
  'fee-too-large': [
    'policy-denied',
    'fee of 1000000000 DOGE base units is above the limit of 768000000',
  ],
}

describe.each(utxoChains)('$id', chain => {
  const cases = recordedCases(chain.id)
  const signed = cases.filter(({ expected }) => expected.outcome === 'signed')
  const refused = cases.filter(({ expected }) => expected.outcome === 'refused')

  test.each(signed.map(found => [found.network, found.case, found] as const))(
    '%s %s is signed, byte for byte where the original signs',
    (_network, _case, found) => {
      const pending = pendingOf(found)
      const { txData } = signAs(chain, pending, found)
      if (found.expected.txData === undefined) return
      expect(txData).toBe(found.expected.txData)
      expect<unknown>(chain.broadcast(pending, txData)).toEqual(found.expected.broadcast)
    },
  )

  test.each(refused.map(found => [found.network, found.case, found] as const))(
    '%s %s is refused',
    (_network, name, found) => {
      const pending = pendingOf(found)
      if (name === 'mnemonic-without-index') {
        // The key stays without an index, for the signer to refuse.
        expect(chain.keys(pending)).toEqual([{ signatureId: pending.hashes[0] ?? '' }])
        return
      }
      const answer = answers[name]
      if (answer === undefined) throw new Error(`no answer is written down for ${name}`)
      expect(faultOf(() => signAs(chain, pending, found))).toEqual(answer)
    },
  )
})

function pendingOf({ chain, pending }: RecordedCase): PendingTx {
  return parsePending({ chain, ...pending })
}

function signAs(chain: Chain, pending: PendingTx, found: RecordedCase): Signed {
  const { network } = found
  const keys = chain.keys(pending).map(ref => recordedKey(chain, ref, found))
  const publicKeys = keys.map(({ publicKey }) => publicOf(publicKey))
  const own = { network, keys: publicKeys, settings: defaultSettings }
  const prepared = chain.prepare(pending, own, {})
  const signatures = prepared.requests.map(({ key, message }) => {
    const { secret = new Uint8Array() } = keys[key] ?? {}
    return { bytes: secp256k1.sign(message, secret, { prehash: false }), recovery: 0 }
  })
  return prepared.seal(signatures)
}
