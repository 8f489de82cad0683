import { expect } from 'bun:test'
import { readCelo } from '../fake-chains/celo.ts'
import { type Judge, sentData } from '../outcome.ts'

const cusd = '0x765de816845861e75a25fca122bb6898b8b1282a'
const sent = {
  chainId: 42_220,
  from: '0xe70e8afef87cc8f0d7a61f58535f6ec99cd860ca',
  nonce: 7,
  to: '0x687422eea2cb73b5d3e242ba5456b782919afc85',
  value: 10n ** 18n,
  data: '0x',
}
const fetchedPrice = 25_000_000_000n
const estimated = 60_000n + 100_000n

/** Without a fee currency: Ethereum's legacy envelope. */
const legacy = { ...sent, type: 'legacy', gas: 21_000n, gasPrice: 5_000_000_000n }

/** With one: CIP-64, where the price is the most for the fee and for the tip. */
const cip64 = (price: bigint) => ({
  ...sent,
  type: 'cip64',
  feeCurrency: cusd,
  maxFeePerGas: price,
  maxPriorityFeePerGas: price,
})

export const celo: Readonly<Record<string, Judge>> = {
  'CELO native-no-feeCurrency': isSent({
    ...legacy,
    nonce: 4,
    gas: estimated,
    gasPrice: fetchedPrice,
  }),
  'CELO decimal-gasLimit': isSent(legacy),
  'CELO native-full': isSent(legacy),
  'CELO feeCurrency-cusd': isSent({ ...cip64(fetchedPrice), nonce: 4, gas: estimated }),
  'CELO feeCurrency-cusd-low-price': isSent({
    ...cip64(1_000_000_000n),
    nonce: 4,
    gas: estimated,
  }),
  'CELO feeCurrency-ceur': isSent({
    ...cip64(fetchedPrice),
    feeCurrency: '0xd8763cba276a3738e6de85b4b3bf5fded6d6ca73',
    gas: 300_000n,
  }),
  'CELO cusd-token-transfer-fee-cusd': isSent({
    ...cip64(5_000_000_000n),
    to: cusd,
    value: 0n,
    data: `0xa9059cbb${sent.to.slice(2).padStart(64, '0')}${'f4240'.padStart(64, '0')}`,
    gas: 200_000n,
  }),
  'CELO missing-chainId': isSent({ ...legacy, value: 1n }),
  'CELO nonce-0-refetched': isSent({ ...legacy, nonce: 0, value: 1n }),
  'CELO alfajores-mnemonic': isSent({
    ...cip64(fetchedPrice),
    chainId: 44_787,
    from: '0xc6d7a4dac16fc817126d0184c53cff8c7d0d21dc',
    feeCurrency: '0x874069fa1eb16d44d622f2e0ca25eea172369bc1',
    nonce: 4,
    gas: estimated,
    value: 90_000_000_000_000_000n,
  }),
}

function isSent(tx: Readonly<Record<string, unknown>>): Judge {
  return did => {
    expect<unknown>(readCelo(sentData(did))).toEqual(tx)
  }
}
