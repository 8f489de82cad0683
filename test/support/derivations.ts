import type { Derivation, KeyScheme, Network } from '../../src/base/model.ts'
import { schemes } from './key-text.ts'

/** What protocol/derivation says of every chain that has mnemonics, apart from the chains' own files. */
export const derivations: Readonly<
  Record<string, KeyScheme & { readonly derivation: Derivation }>
> = {
  BTC: wif([0x80, 0xef], bitcoinLike("m/44'/0'/0'/0", "m/44'/1'/0'/0")),
  BCH: wif([0x80, 0xef], bitcoinLike("m/44'/145'/0'/0", "m/44'/145'/0'/0")),
  LTC: wif([0xb0, 0xef], bip32("m/44'/2'/0'/0", "m/44'/1'/0'/0", [0x019da462, 0x0436f6e1])),
  DOGE: wif([0x9e, 0xf1], bitcoinLike("m/44'/3'/0'/0", "m/44'/1'/0'/0")),
  ETH: evm(60),
  BSC: evm(60),
  MATIC: evm(966),
  KLAY: evm(8217),
  ONE: evm(1023),
  CELO: evm(52752),
  VET: evm(818),
  XDC: evm(550),
  TRON: { ...schemes.hex, derivation: oneXpub("m/44'/195'/0'/0", "m/44'/195'/0'/0") },
  FLOW: { ...schemes.shortHex, derivation: oneXpub("m/44'/539'/0'/0", "m/44'/539'/0'/0") },
  EGLD: {
    ...schemes.ed25519Hex,
    derivation: {
      kind: 'slip10',
      path: { mainnet: "m/44'/508'/0'/0'/i'", testnet: "m/44'/1'/0'/0'/i'" },
    },
  },
  SOL: {
    ...schemes.base58Pair,
    derivation: {
      kind: 'slip10',
      path: onBoth("m/44'/501'/0'/0'/i'"),
      styles: { phantom: onBoth("m/44'/501'/i'/0'") },
    },
  },
  ADA: {
    ...schemes.extendedHex,
    derivation: { kind: 'cip3', path: onBoth("m/1852'/1815'/0'/0'") },
  },
}

type Bip32 = Extract<Derivation, { kind: 'bip32' }>

function wif(
  [mainnet, testnet]: readonly [number, number],
  derivation: Bip32,
): KeyScheme & { readonly derivation: Derivation } {
  return { curve: 'secp256k1', derivation, text: { kind: 'wif', version: { mainnet, testnet } } }
}

function evm(coin: number): KeyScheme & { readonly derivation: Derivation } {
  const derivation = oneXpub(`m/44'/${coin}'/0'/0`, "m/44'/1'/0'/0")
  return { ...schemes.prefixedHex, derivation }
}

function bitcoinLike(mainnet: string, testnet: string): Bip32 {
  return bip32(mainnet, testnet, [0x0488b21e, 0x043587cf])
}

function oneXpub(mainnet: string, testnet: string): Bip32 {
  return bip32(mainnet, testnet, [0x0488b21e, 0x0488b21e])
}

function bip32(mainnet: string, testnet: string, xpub: readonly [number, number]): Bip32 {
  return {
    kind: 'bip32',
    path: { mainnet, testnet },
    xpub: { mainnet: xpub[0], testnet: xpub[1] },
  }
}

function onBoth(path: string): Readonly<Record<Network, string>> {
  return { mainnet: path, testnet: path }
}
