import { idOf, type TestWallet } from './test-vault.ts'

/** Wallets of published test keys (BIP-39's own, and those of test/vectors/wallets.json). */
export const wallets = {
  ethMnemonic: wallet(1, 'ETH', {
    mnemonic:
      'abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about',
  }),
  ethKey: wallet(2, 'ETH', { key: `0x${'07'.repeat(32)}` }),
  btcKey: wallet(3, 'BTC', { key: 'L4p2b9VAf8k5aUahF1JCJUzZkgNEAqLfq8DDdQiyAprQAKSbu8hf' }),
  btcMnemonic: wallet(4, 'BTC', {
    mnemonic: 'legal winner thank year wave sausage worth useful legal winner thank yellow',
  }),
  ethTestnet: wallet(5, 'ETH', { key: `0x${'07'.repeat(32)}`, network: 'testnet' }),
} as const

/** Of `btcKey`, P2WPKH: what it holds needs no proof. */
export const btcScript = '0014d986ed01b7a22225a70edbf2ba7cfb63a15cb3aa'
const strangerScript = '76a914e0bb28afec292affc85b0b55dfcc3b15da91f42388ac'
/** Of `ethMnemonic` at index 0. */
export const ethAddress = '0x9858effd232b4033e47d90003d41ec34ecaeda94'
const stranger = '0x687422eea2cb73b5d3e242ba5456b782919afc85'

export type TestPayment = {
  readonly id: string
  readonly chain: string
  readonly hashes: readonly string[]
  readonly index?: number
  readonly serializedTransaction: string
}

/** Without nonce, gas and price: the front completes it. */
export function ethPayment(n: number, more: Partial<TestPayment> = {}, tx: object = {}) {
  return {
    id: pendingIdOf(n),
    chain: 'ETH',
    hashes: [wallets.ethMnemonic.id],
    index: 0,
    serializedTransaction: JSON.stringify({ to: stranger, value: `${1_000 + n}`, ...tx }),
    ...more,
  } as const satisfies TestPayment
}

/** Lacks nothing, so that it is signed without a completion. */
export function filledEthPayment(n: number, nonce: number, more: Partial<TestPayment> = {}) {
  return ethPayment(n, more, { nonce, gas: '21000', gasPrice: '2000000000' })
}

/** Spends one output, a different one for each `n`. */
export function btcPayment(n: number, more: Partial<TestPayment> = {}, spent = n) {
  return {
    id: pendingIdOf(n),
    chain: 'BTC',
    hashes: [wallets.btcKey.id],
    serializedTransaction: JSON.stringify({
      version: 2,
      inputs: [
        {
          prevTxId: spent.toString(16).padStart(64, '0'),
          outputIndex: 0,
          sequenceNumber: 0xffff_ffff,
          script: '',
          scriptString: '',
          output: { satoshis: 100_000, script: btcScript },
        },
      ],
      outputs: [{ satoshis: 90_000 + n, script: strangerScript }],
      nLockTime: 0,
    }),
    ...more,
  } as const satisfies TestPayment
}

/** Ids look like the real ones, which are 24 hex digits. */
export function pendingIdOf(n: number): string {
  return n.toString(16).padStart(24, '0')
}

function wallet(
  n: number,
  chain: string,
  more: Omit<TestWallet, 'id' | 'chain' | 'network'> & Partial<Pick<TestWallet, 'network'>>,
): TestWallet {
  return {
    id: idOf(n),
    chain,
    network: 'mainnet',
    ...more,
  }
}
