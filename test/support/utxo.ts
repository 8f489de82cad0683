import { secp256k1 } from '@noble/curves/secp256k1.js'
import { KmsError } from '../../src/base/errors.ts'
import type { PendingTx, PublicKey, Signature, Signed } from '../../src/base/model.ts'
import { btc } from '../../src/chains/btc.ts'
import type { Chain, Own, Prepared } from '../../src/chains/chain.ts'
import { doge } from '../../src/chains/doge.ts'
import { ltc } from '../../src/chains/ltc.ts'
import { defaultSettings } from '../../src/chains/settings.ts'
import { hash160, unsignedId } from './bitcoin-reader.ts'

/** Keys of tests, what pays to them, and payments they can make, on BTC, LTC and DOGE. */

export type TestKey = { readonly secret: Uint8Array; readonly publicKey: Uint8Array }
export type Form = 'p2pk' | 'p2pkh' | 'p2wpkh' | 'p2sh-p2wpkh'
export type TestTx = ReturnType<typeof transactionOf>
export type TestInput = TestTx['inputs'][number]
export type Spendable = { readonly key: TestKey; readonly form: Form; readonly script: string }

export const segwitChains = [btc, ltc] as const
export const utxoChains = [...segwitChains, doge] as const

/** The most one amount can be: where there can be more, what a JSON number holds exactly. */
export const maxAmounts: Readonly<Record<string, number>> = {
  BTC: 21e14,
  LTC: 84e14,
  DOGE: Number.MAX_SAFE_INTEGER,
}

export const pool = [testKey(1), testKey(2), testKey(3)] as const
export const uncompressed = testKey(4, false)
const allKeys: readonly TestKey[] = [...pool, uncompressed]

export const own: Own = {
  network: 'mainnet',
  keys: allKeys.map(({ publicKey }) => publicOf(publicKey)),
  settings: defaultSettings,
}

/** Every output the keys of `own` can spend; an uncompressed key has no segwit (BIP-143). */
export function spendableOn(chain: Chain): readonly Spendable[] {
  const segwit: readonly Form[] = chain === doge ? [] : ['p2wpkh', 'p2sh-p2wpkh']
  return allKeys.flatMap(key =>
    (['p2pk', 'p2pkh', ...(key === uncompressed ? [] : segwit)] as const).map(form => ({
      key,
      form,
      script: scriptOf(form, key),
    })),
  )
}

function testKey(fill: number, compressed = true): TestKey {
  const secret = new Uint8Array(32).fill(fill)
  return { secret, publicKey: secp256k1.getPublicKey(secret, compressed) }
}

export function publicOf(bytes: Uint8Array): PublicKey {
  return { curve: 'secp256k1', bytes }
}

export function scriptOf(form: Form, { publicKey }: Pick<TestKey, 'publicKey'>): string {
  const hash = hash160(publicKey).toString('hex')
  switch (form) {
    case 'p2pk':
      return `${publicKey.length.toString(16)}${Buffer.from(publicKey).toString('hex')}ac`
    case 'p2pkh':
      return `76a914${hash}88ac`
    case 'p2wpkh':
      return `0014${hash}`
    case 'p2sh-p2wpkh':
      return `a914${hash160(Buffer.from(`0014${hash}`, 'hex')).toString('hex')}87`
    default:
      return form satisfies never
  }
}

/** Spends 100,000 satoshi of the first key per form, to somebody else, for a fee of 10,000. */
export function transactionOf(inputs: readonly Form[]) {
  return {
    version: 2,
    inputs: inputs.map((form, outputIndex) => ({
      prevTxId: 'aa'.repeat(32),
      outputIndex,
      sequenceNumber: 0xffffffff,
      script: '',
      scriptString: '',
      output: { satoshis: 100_000, script: scriptOf(form, pool[0]) },
    })),
    outputs: [
      { satoshis: inputs.length * 100_000 - 10_000, script: `76a914${'11'.repeat(20)}88ac` },
    ],
    nLockTime: 0,
  }
}

/** What `hash` must be. */
export function hashOf({ version, inputs, outputs, nLockTime }: TestTx): string {
  return unsignedId({
    version,
    inputs: inputs.map(({ prevTxId, outputIndex, sequenceNumber }) => ({
      txId: prevTxId,
      index: outputIndex,
      sequence: sequenceNumber,
    })),
    outputs: outputs.map(({ satoshis, script }) => ({ amount: BigInt(satoshis), script })),
    lockTime: nLockTime,
  })
}

export function feeOf({ inputs, outputs }: TestTx): number {
  const held = inputs.reduce((sum, { output }) => sum + output.satoshis, 0)
  return outputs.reduce((sum, { satoshis }) => sum - satoshis, held)
}

export function pendingOf(chain: Chain, tx: unknown, rest: Partial<PendingTx> = {}): PendingTx {
  return {
    id: '85549f1ff3dd357c69b03e19',
    chain: chain.id,
    serializedTransaction: typeof tx === 'string' ? tx : JSON.stringify(tx),
    hashes: [],
    signatures: [],
    ...rest,
  }
}

export function prepare(chain: Chain, tx: unknown): Prepared {
  return chain.prepare(pendingOf(chain, tx), own, {})
}

/** What the signer does in earnest. */
export function signaturesFor({ requests }: Prepared): readonly Signature[] {
  return requests.map(({ key, message }) => {
    const { secret = new Uint8Array() } = allKeys[key] ?? {}
    const bytes = secp256k1.sign(message, secret, { prehash: false, lowS: true })
    return { bytes, recovery: 0 }
  })
}

export function sign(chain: Chain, tx: unknown): Signed {
  const prepared = prepare(chain, tx)
  return prepared.seal(signaturesFor(prepared))
}

/** The answer or the KmsError; anything else that is thrown goes on. */
export function outcome<T>(run: () => T): T | KmsError {
  try {
    return run()
  } catch (thrown) {
    if (thrown instanceof KmsError) return thrown
    throw thrown
  }
}

/** The code and message of the refusal; fails the test when there is none. */
export function faultOf(run: () => unknown): readonly [code: string, message: string] {
  const answer = outcome(run)
  if (!(answer instanceof KmsError)) throw new Error('nothing was refused')
  return [answer.code, answer.message]
}
