import { compile, transfer, walletOf } from '../../test/support/sol-payments.ts'
import { idOf, type TestWallet } from '../../test/support/test-vault.ts'
import { tronKey, transfer as tronTransfer, unsigned } from '../../test/support/tron.ts'

/** A kind of payment, and the one wallet that pays all of them. */
export type Kind = {
  readonly name: string
  readonly wallet: TestWallet
  serializedTransaction(n: number): object
  /** Of a mnemonic wallet: which key. */
  index?(n: number): number
}

export type Pending = {
  readonly id: string
  readonly chain: string
  readonly hashes: readonly string[]
  readonly index?: number
  readonly serializedTransaction: string
}

const key = '07'.repeat(32)
const mnemonic =
  'abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about'
const stranger = '0x687422eea2cb73b5d3e242ba5456b782919afc85'
const network = 'testnet'
/** Of the BTC wallet, P2WPKH: what it holds needs no proof. */
const btcScript = '0014a3c6b1ee4a49d9f2af3b3802974744fba924164a'
const solWallet = walletOf(new Uint8Array(32).fill(7))

/** Lacks nothing: what a daemon reads from a node first is the node's speed, not ours. */
const ethTransfer = (n: number, nonce: number) => ({
  to: stranger,
  value: `${1_000 + n}`,
  nonce,
  gas: '21000',
  gasPrice: '2000000000',
})

export const kinds = {
  ethKey: {
    name: 'ETH, private-key wallet',
    wallet: { id: idOf(1), chain: 'ETH', network, key: `0x${key}` },
    serializedTransaction: n => ethTransfer(n, n),
  },
  ethMnemonic: {
    name: 'ETH, mnemonic wallet, an index each',
    wallet: { id: idOf(2), chain: 'ETH', network, mnemonic },
    serializedTransaction: n => ethTransfer(n, 0),
    index: n => n,
  },
  xrp: {
    name: 'XRP',
    wallet: { id: idOf(3), chain: 'XRP', network, key: 'sp8y8kecNjy88BZRr9U991iiRzFNf' },
    serializedTransaction: n => ({
      TransactionType: 'Payment',
      Account: 'rLpgximdBvEHy8TxUwyj6mjCRNcJju5qGG',
      Amount: `${1_000_000 + n}`,
      Destination: 'rPT1Sjq2YGrBMTttX4GZHjKu9dyfzbpAYe',
      Sequence: 1 + n,
      LastLedgerSequence: 78_901_234,
      Fee: '12',
    }),
  },
  sol: {
    name: 'SOL',
    wallet: { id: idOf(4), chain: 'SOL', network, key: solWallet.pair.toString('hex') },
    serializedTransaction: n => ({
      txData: compile(solWallet.address, [
        transfer(solWallet.address, 'GJRs4FwHtemZ5ZE9x3FNvJ8TMwitKTh21yxdRPqn7npE', BigInt(1 + n)),
      ]).toString('hex'),
    }),
  },
  btc: {
    name: 'BTC, two inputs',
    wallet: {
      id: idOf(5),
      chain: 'BTC',
      network,
      key: 'cMpMxK92W1DjqDvWV3pMn4xLwAuQJhNF3MFqkEHUQRPQofUJku8R',
    },
    serializedTransaction: n => ({
      version: 2,
      inputs: [2 * n, 2 * n + 1].map(input => ({
        prevTxId: (1 + input).toString(16).padStart(64, '0'),
        outputIndex: 0,
        sequenceNumber: 0xffff_ffff,
        script: '',
        scriptString: '',
        output: { satoshis: 100_000, script: btcScript },
      })),
      outputs: [
        { satoshis: 190_000 - n, script: '76a914e0bb28afec292affc85b0b55dfcc3b15da91f42388ac' },
      ],
      nLockTime: 0,
    }),
  },
  tron: {
    name: 'TRON',
    wallet: { id: idOf(6), chain: 'TRON', network, key: tronKey },
    serializedTransaction: n =>
      unsigned({ ...tronTransfer, value: { ...tronTransfer.value, amount: 1 + n } }),
  },
} as const satisfies Readonly<Record<string, Kind>>

/** `count` payments with ids of their own. */
export function pendingOf(kind: Kind, count: number): readonly Pending[] {
  const { id, chain } = kind.wallet
  return Array.from({ length: count }, (_, n) => ({
    id: (n + 1).toString(16).padStart(24, '0'),
    chain,
    hashes: [id],
    ...(kind.index && { index: kind.index(n) }),
    serializedTransaction: JSON.stringify(kind.serializedTransaction(n)),
  }))
}
