import { utxoChain } from './family/utxo.ts'

export const ltc = utxoChain({
  id: 'LTC',
  name: 'Litecoin',
  addresses: {
    // P2SH was 0x05 and 0xc4, Bitcoin's own, before Litecoin Core 0.16. Both name the same script.
    mainnet: { p2pkh: 0x30, p2sh: 0x32, bech32: 'ltc' },
    testnet: { p2pkh: 0x6f, p2sh: 0x3a, bech32: 'tltc' },
  },
  ownAddress: 'p2pkh',
  wif: { mainnet: 0xb0, testnet: 0xef },
  path: { mainnet: "m/44'/2'/0'/0", testnet: "m/44'/1'/0'/0" },
  // Ltub and ttub.
  xpub: { mainnet: 0x019da462, testnet: 0x0436f6e1 },
  maxAmount: 84n * 10n ** 14n,
  maxFeePerVbyte: 2_500n,
  broadcastPath: '/v3/litecoin/broadcast',
  nodePath: '/v3/litecoin/node',
})
