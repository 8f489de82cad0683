import type { TronTx } from './tron-json.ts'

/** Prices of the network in SUN, set by vote: parameters of 2025 (java-tron, getchainparameters). */
const perByte = 1_000n
/** getCreateNewAccountFeeInSystemContract and getCreateAccountFee: a recipient's first payment. */
const newAccount = 1_100_000n
/** getMemoFee */
const memo = 1_000_000n

/** getAssetIssueFee: what is paid for a new token, which is no fee of its transaction. */
export const tokenPrice = 1_024_000_000n

/** getUpdateAccountPermissionFee */
export const permissionPrice = 100_000_000n

/** What a transaction has besides its bytes: 65 of signature, tags, and 64 kept for its result. */
const envelopeBytes = 136

/**
 * The most that is burnt beside what a contract uses, which has `fee_limit` for its bound: this is
 * what an account without bandwidth of its own pays.
 */
export function networkFee({ size, head, contract }: Pick<TronTx, 'size' | 'head' | 'contract'>) {
  const isTransfer =
    contract.type === 'TransferContract' || contract.type === 'TransferAssetContract'
  const bandwidth = perByte * BigInt(size + envelopeBytes)
  return bandwidth + (isTransfer ? newAccount : 0n) + (head.data === '' ? 0n : memo)
}
