import { utxoChain } from './family/utxo.ts'

export const btc = utxoChain({
  id: 'BTC',
  name: 'Bitcoin',
  addresses: {
    mainnet: { p2pkh: 0x00, p2sh: 0x05, bech32: 'bc' },
    testnet: { p2pkh: 0x6f, p2sh: 0xc4, bech32: 'tb' },
  },
  ownAddress: 'p2wpkh',
  wif: { mainnet: 0x80, testnet: 0xef },
  path: { mainnet: "m/44'/0'/0'/0", testnet: "m/44'/1'/0'/0" },
  xpub: { mainnet: 0x0488b21e, testnet: 0x043587cf },
  maxAmount: 21n * 10n ** 14n,
  maxFeePerVbyte: 2_500n,
  broadcastPath: '/v3/bitcoin/broadcast',
  nodePath: '/v3/bitcoin/node',
})
