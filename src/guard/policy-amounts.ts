import type { Cap, Judged } from './policy.ts'
import { namesOfAsset, namesOfRecipient } from './policy-match.ts'

/** The power over all tokens of a contract is no amount: no cap has room for it. */
const everything = 1n << 256n

/** What is told as outputs, and is not the payer's money: what others pay, what others may owe. */
const notOurs: ReadonlySet<string> = new Set(['fee-bump', 'fee-delegation', 'trust'])

/**
 * How much of a cap a payment takes: what goes to others than its own keys, and the most that its
 * fee can be where that is paid in the same asset.
 */
export function amountUnder({ asset, except }: Cap, { intent }: Judged): bigint {
  const { kind, outputs, fee } = intent
  const counted = notOurs.has(kind)
    ? []
    : outputs.filter(
        output =>
          !output.own &&
          namesOfAsset(output).includes(asset) &&
          !namesOfRecipient(output).some(name => except?.has(name)),
      )
  const amounts = counted.map(({ amount }) =>
    kind === 'approve-all' && amount > 0n ? everything : amount,
  )
  const isFee = fee !== undefined && namesOfAsset(fee).includes(asset)
  return amounts.reduce((sum, amount) => sum + amount, isFee ? fee.amount : 0n)
}

/** Whose sums a payment counts in: '' for those of all; nobody's where the cap is not about it. */
export function capOwners({ wallets, eachWallet }: Cap, payment: Judged): readonly string[] {
  const signing = wallets ? payment.wallets.filter(id => wallets.has(id)) : payment.wallets
  if (eachWallet) return [...new Set(signing)]
  return wallets !== undefined && signing.length === 0 ? [] : ['']
}
