import { pendingIdOf, type TestPayment } from './payments.ts'
import { type RecordedCase, recordedCases } from './recorded-cases.ts'
import { idOf, type TestWallet } from './test-vault.ts'

/** Payments of chains on which what was signed may never arrive, and a person must say what then. */
export const closingWallets = {
  sol: walletOf(11, 'SOL'),
  xrp: walletOf(12, 'XRP'),
} as const satisfies Readonly<Record<string, TestWallet>>

/** Gets its blockhash from the front. */
export function solPayment(n: number, more: Partial<TestPayment> = {}): TestPayment {
  const { serializedTransaction } = firstOf('SOL').pending
  const hashes = [closingWallets.sol.id]
  return { id: pendingIdOf(n), chain: 'SOL', hashes, serializedTransaction, ...more }
}

/** Pays another amount for each `n`. */
export function xrpPayment(n: number, sequence: number, hash = closingWallets.xrp.id): TestPayment {
  const { serializedTransaction: text } = firstOf('XRP').pending
  const tx = { ...JSON.parse(text), Sequence: sequence, Amount: `${25_000_000 + n}` }
  const serializedTransaction = JSON.stringify(tx)
  return { id: pendingIdOf(n), chain: 'XRP', hashes: [hash], serializedTransaction }
}

function walletOf(n: number, chain: string): TestWallet {
  const [recorded] = Object.values(firstOf(chain).wallets)
  const key = recorded?.privateKey ?? recorded?.secret ?? ''
  return { id: idOf(n), chain, network: 'mainnet', key }
}

function firstOf(chain: string): RecordedCase {
  const [first] = recordedCases(chain)
  if (first === undefined) throw new Error(`nothing of ${chain} is recorded`)
  return first
}
