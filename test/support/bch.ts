import fc from 'fast-check'
import { hex } from '../../src/base/bytes.ts'
import type { PendingTx, Signature, Signed } from '../../src/base/model.ts'
import { bch } from '../../src/chains/bch.ts'
import type { Own, Prepared } from '../../src/chains/chain.ts'
import { defaultSettings } from '../../src/chains/settings.ts'
import { sign as signDigest } from '../../src/secret/sign.ts'
import { type ReadTransaction, unsignedBytes } from './bitcoin-reader.ts'
import { pendingOf, pool, publicOf, scriptOf, type TestKey, uncompressed } from './utxo.ts'

/** Payments that keys of tests can make on BCH. */

export type BchInput = {
  txId: string
  index: number
  sequence: number
  readonly key: TestKey
  amount: bigint
}
export type BchTx = {
  version: number
  readonly inputs: BchInput[]
  readonly outputs: { amount: bigint; script: string }[]
  lockTime: number
}

const stranger = `76a914${'11'.repeat(20)}88ac`

/** Spends 100,000 satoshi of each of `keys`, to somebody else, for a fee of 10,000. */
export function bchPayment(keys: readonly TestKey[] = [pool[0]]): BchTx {
  return {
    version: 2,
    inputs: keys.map((key, index) => ({
      txId: 'aa'.repeat(32),
      index,
      sequence: 0xffffffff,
      key,
      amount: 100_000n,
    })),
    outputs: [{ amount: 100_000n * BigInt(keys.length) - 10_000n, script: stranger }],
    lockTime: 0,
  }
}

export function unsignedHex(tx: Omit<ReadTransaction, 'hasWitness' | 'txId'> | BchTx): string {
  return unsignedBytes(tx).toString('hex')
}

export function textOf(tx: BchTx): string {
  return `${unsignedHex(tx)}:[${tx.inputs.map(({ amount }) => amount).join(',')}]`
}

export function ownOf({ inputs }: BchTx): Own {
  const keys = inputs.map(({ key }) => publicOf(key.publicKey))
  return { network: 'mainnet', keys, settings: defaultSettings }
}

export function bchPending(text: string, rest: Partial<PendingTx> = {}): PendingTx {
  return pendingOf(bch, text, rest)
}

export function prepareBch(tx: BchTx, text = textOf(tx)): Prepared {
  return bch.prepare(bchPending(text), ownOf(tx), {})
}

/** What the signer does in earnest. */
export function signaturesOf(tx: BchTx, { requests }: Prepared): readonly Signature[] {
  return requests.map(request => {
    const { secret = new Uint8Array() } = tx.inputs[request.key]?.key ?? {}
    return signDigest(request, secret)
  })
}

export function signBch(tx: BchTx, text = textOf(tx)): Signed {
  const prepared = prepareBch(tx, text)
  return prepared.seal(signaturesOf(tx, prepared))
}

const uint32 = fc.oneof(fc.nat(0xffffffff), fc.constantFrom(0, 0x7fffffff, 0x80000000, 0xffffffff))
const hexOf = (minLength: number, maxLength = minLength) =>
  fc.uint8Array({ minLength, maxLength }).map(hex)
const keys = [...pool, uncompressed]

/** Scripts of all forms to pay to, ours among them, and ones that are none. */
export const bchScripts = fc.oneof(
  fc.constantFrom(...keys.map(key => scriptOf('p2pkh', key))),
  hexOf(20).map(hash => `76a914${hash}88ac`),
  hexOf(20).map(hash => `a914${hash}87`),
  hexOf(32).map(hash => `aa20${hash}87`),
  hexOf(0, 90).map(data => `6a${data}`),
)

/** Any payment these keys can make; a key may own several inputs. */
export const bchPayments: fc.Arbitrary<BchTx> = fc
  .record({
    version: uint32,
    lockTime: uint32,
    inputs: fc.uniqueArray(
      fc.record({
        txId: hexOf(32),
        index: uint32,
        sequence: uint32,
        key: fc.constantFrom(...keys),
        amount: fc.bigInt(100_000n, 10n ** 14n),
      }),
      { minLength: 1, maxLength: 4, selector: ({ txId, index }) => `${txId}:${index}` },
    ),
    scripts: fc.array(bchScripts, { minLength: 1, maxLength: 4 }),
    fee: fc.bigInt(0n, 100_000n),
  })
  .map(({ scripts, fee, inputs, ...rest }) => {
    const left = inputs.reduce((sum, { amount }) => sum + amount, -fee)
    const share = left / BigInt(scripts.length)
    const first = left - share * BigInt(scripts.length - 1)
    const outputs = scripts.map((script, i) => ({ amount: i === 0 ? first : share, script }))
    return { ...rest, inputs, outputs }
  })

/** One change per field, which answers whether it changed anything. */
export function changesOf(tx: BchTx): readonly ((value: number) => boolean)[] {
  const set =
    <T, K extends keyof T>(holder: T, member: K, make: (value: number) => T[K]) =>
    (value: number): boolean => {
      const before = holder[member]
      holder[member] = make(value)
      return before !== holder[member]
    }
  const script = (value: number) => scriptOf('p2pkh', keys[value % keys.length] ?? uncompressed)
  return [
    ...tx.inputs.flatMap(input => [
      set(input, 'txId', value => Buffer.alloc(32, value % 256).toString('hex')),
      set(input, 'index', value => value),
      set(input, 'sequence', value => value),
      set(input, 'amount', BigInt),
    ]),
    ...tx.outputs.flatMap(output => [set(output, 'amount', BigInt), set(output, 'script', script)]),
    set(tx, 'lockTime', value => value),
  ]
}
