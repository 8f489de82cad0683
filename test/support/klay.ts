import { secp256k1 } from '@noble/curves/secp256k1.js'
import fc from 'fast-check'
import { keccak256 } from 'viem'
import { type Item, writeRlp } from './rlp.ts'

/** A transaction of one of Kaia's types as JSON of caver, with what a reader should find in it. */
export type TypedPayment = {
  readonly json: Readonly<Record<string, unknown>>
  readonly type: number
  readonly nonce: bigint
  readonly gasPrice: bigint
  readonly gas: bigint
  readonly to: string
  readonly value: bigint
  readonly data: string
  readonly feeRatio: bigint
}

const actions = [
  ['VALUE_TRANSFER', 0x08],
  ['VALUE_TRANSFER_MEMO', 0x10],
  ['SMART_CONTRACT_DEPLOY', 0x28],
  ['SMART_CONTRACT_EXECUTION', 0x30],
  ['CANCEL', 0x38],
] as const

const hexBytes = (minLength: number, maxLength: number) =>
  fc
    .uint8Array({ minLength, maxLength })
    .map(bytes => `0x${Buffer.from(bytes).toString('hex')}` as const)

export const address = hexBytes(20, 20)

/** Of any type; `delegations` are what may be added to its number. */
export function typedPayment(delegations: readonly (0 | 1 | 2)[]): fc.Arbitrary<TypedPayment> {
  return fc
    .record({
      action: fc.constantFrom(...actions),
      delegation: fc.constantFrom(...delegations),
      nonce: fc.bigInt({ min: 0n, max: 2n ** 53n - 1n }),
      gasPrice: fc.bigInt({ min: 1n, max: 10n ** 12n }),
      gas: fc.bigInt({ min: 200_000n, max: 5_000_000n }),
      to: address,
      value: fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
      data: hexBytes(1, 200),
      feeRatio: fc.bigInt({ min: 1n, max: 99n }),
    })
    .map(({ action: [name, number], delegation, ...fields }) => {
      const isCancel = number === 0x38
      const isDeploy = number === 0x28
      const { nonce, gasPrice, gas } = fields
      const json = {
        type: [
          delegation > 0 ? 'FEE_DELEGATED_' : '',
          name,
          delegation === 2 ? '_WITH_RATIO' : '',
        ].join(''),
        nonce: `${nonce}`,
        gasPrice: `0x${gasPrice.toString(16)}`,
        gas: `${gas}`,
        ...(!isCancel && !isDeploy && { to: fields.to }),
        ...(!isCancel && { value: `0x${fields.value.toString(16)}` }),
        ...(!isCancel && number !== 0x08 && { data: fields.data }),
        ...(delegation === 2 && { feeRatio: Number(fields.feeRatio) }),
      }
      return {
        json,
        type: number + delegation,
        nonce,
        gasPrice,
        gas,
        to: isCancel || isDeploy ? '0x' : fields.to,
        value: isCancel ? 0n : fields.value,
        data: isCancel || number === 0x08 ? '0x' : fields.data,
        feeRatio: delegation === 2 ? fields.feeRatio : 0n,
      }
    })
}

/** The same as a sender's wallet writes it: signed, with nobody in the place of the fee payer. */
export function senderRaw(
  payment: TypedPayment,
  from: string,
  privateKey: Uint8Array,
  chainId: number,
): string {
  const { type } = payment
  const body = bodyOf(payment, from)
  const tail = [numberItem(BigInt(chainId)), numberItem(0n), numberItem(0n)]
  const hash = keccak256(writeRlp([writeRlp([Uint8Array.of(type), ...body]), ...tail]), 'bytes')
  const signed = secp256k1.sign(hash, privateKey, { prehash: false, format: 'recovered' })
  const v = BigInt(2 * chainId + 35 + (signed[0] ?? 0))
  const [r, s] = [signed.subarray(1, 33), signed.subarray(33)].map(word =>
    numberItem(BigInt(`0x${Buffer.from(word).toString('hex')}`)),
  )
  const signature = [numberItem(v), r ?? [], s ?? []]
  const nobody = [new Uint8Array(20), [[numberItem(1n), numberItem(0n), numberItem(0n)]]]
  return `0x${Buffer.concat([Uint8Array.of(type), writeRlp([...body, [signature], ...nobody])]).toString('hex')}`
}

function bodyOf(payment: TypedPayment, from: string): readonly Item[] {
  const { type, nonce, gasPrice, gas, to, value, data, feeRatio } = payment
  const numbers = [nonce, gasPrice, gas].map(numberItem)
  const ratio = type % 8 === 2 ? [numberItem(feeRatio)] : []
  if (type >= 0x38) return [...numbers, bytesItem(from), ...ratio]
  // Account updates have the new keys for data.
  if (type >= 0x20 && type < 0x28) return [...numbers, bytesItem(from), bytesItem(data), ...ratio]
  const paid = [...numbers, bytesItem(to), numberItem(value), bytesItem(from)]
  if (type < 0x10) return [...paid, ...ratio]
  const called = [...paid, bytesItem(data)]
  const isDeploy = type >= 0x28 && type < 0x30
  return isDeploy ? [...called, numberItem(0n), ...ratio, numberItem(0n)] : [...called, ...ratio]
}

export function numberItem(value: bigint): Uint8Array {
  if (value === 0n) return new Uint8Array()
  const text = value.toString(16)
  return Buffer.from(text.padStart(text.length + (text.length % 2), '0'), 'hex')
}

export function bytesItem(hex: string): Uint8Array {
  return Buffer.from(hex.slice(2), 'hex')
}
