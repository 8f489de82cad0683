import type { QueuedTx } from './fake-world.ts'
import { payments as flowPayments, paymentOn } from './flow.ts'
import { secret as flowSecret } from './flow-world.ts'
import { btcPayment, ethPayment, pendingIdOf, wallets } from './payments.ts'
import { alice, compile, shop, transfer } from './sol-payments.ts'
import { toBase58 } from './solana.ts'
import { idOf, type TestWallet } from './test-vault.ts'
import { payment as xrpPayment, wallet as xrpWallet } from './xrp.ts'

const mixed = {
  xrp: key(21, 'XRP', xrpWallet.seed ?? ''),
  sol: key(22, 'SOL', toBase58(alice.pair)),
  flow: key(23, 'FLOW', Buffer.from(flowSecret).toString('hex')),
} as const satisfies Readonly<Record<string, TestWallet>>

/** One of each road that a payment can take: numbered, unordered, with others' signatures, submitted. */
export const mixedWallets: readonly TestWallet[] = [
  ...Object.values(wallets),
  ...Object.values(mixed),
]

export const mixedChains = ['ETH', 'BTC', 'XRP', 'SOL', 'FLOW'] as const

/** The `n`th payment: chain after chain, no two of them alike. */
export function mixedPayment(n: number): QueuedTx {
  const chain = mixedChains[n % mixedChains.length]
  const of = (wallet: TestWallet, contents: object): QueuedTx => ({
    id: pendingIdOf(n),
    chain: wallet.chain,
    hashes: [wallet.id],
    serializedTransaction: JSON.stringify(contents),
  })
  switch (chain) {
    case 'BTC':
      return btcPayment(n)
    case 'XRP':
      return of(mixed.xrp, { ...xrpPayment, Sequence: xrpPayment.Sequence + n })
    case 'SOL': {
      const message = compile(alice.address, [transfer(alice.address, shop, BigInt(n + 1))])
      return of(mixed.sol, { txData: message.toString('hex') })
    }
    case 'FLOW': {
      const { transfer: one } = paymentOn('mainnet', flowPayments)
      return of(mixed.flow, { ...one, body: { ...one.body, amount: `${n + 1}.5` } })
    }
    default:
      return ethPayment(n)
  }
}

function key(n: number, chain: string, text: string): TestWallet {
  return { id: idOf(n), chain, network: 'mainnet', key: text }
}
