import { utxoChain } from './family/utxo.ts'

export const doge = utxoChain({
  id: 'DOGE',
  name: 'Dogecoin',
  addresses: {
    mainnet: { p2pkh: 0x1e, p2sh: 0x16 },
    testnet: { p2pkh: 0x71, p2sh: 0xc4 },
  },
  ownAddress: 'p2pkh',
  wif: { mainnet: 0x9e, testnet: 0xf1 },
  path: { mainnet: "m/44'/3'/0'/0", testnet: "m/44'/1'/0'/0" },
  xpub: { mainnet: 0x0488b21e, testnet: 0x043587cf },
  // Coins are made without end; this is what one transaction may move (Dogecoin Core, MAX_MONEY).
  maxAmount: 10n ** 18n,
  // 40 DOGE for 1,000 bytes.
  maxFeePerVbyte: 4_000_000n,
  broadcastPath: '/v3/dogecoin/broadcast',
  nodePath: '/v3/dogecoin/node',
})
