/**
 * The chains by id and name, without their code: help and argument checks start instantly.
 * A test keeps this equal to the registry.
 */
export const chainNames = [
  ['BTC', 'Bitcoin'],
  ['BCH', 'Bitcoin Cash'],
  ['LTC', 'Litecoin'],
  ['DOGE', 'Dogecoin'],
  ['ETH', 'Ethereum'],
  ['BSC', 'BNB Smart Chain'],
  ['MATIC', 'Polygon'],
  ['ONE', 'Harmony'],
  ['KCS', 'KuCoin Community Chain'],
  ['XDC', 'XDC Network'],
  ['CELO', 'Celo'],
  ['KLAY', 'Kaia'],
  ['XRP', 'XRP Ledger'],
  ['XLM', 'Stellar'],
  ['TRON', 'TRON'],
  ['BNB', 'BNB Beacon Chain'],
  ['SOL', 'Solana'],
  ['ADA', 'Cardano'],
  ['VET', 'VeChain'],
  ['ALGO', 'Algorand'],
  ['EGLD', 'MultiversX'],
  ['FLOW', 'Flow'],
] as const satisfies readonly (readonly [id: string, name: string])[]
