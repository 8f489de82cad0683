import type { Derivation } from '../../base/model.ts'

/** BIP-32's own version bytes, which most chains write on both networks. */
const xpub = 0x0488b21e

/** Keys below `mainnet`, and below the same path on test networks unless they have one of their own. */
export function bip32Keys(mainnet: string, testnet = mainnet): Derivation {
  return {
    kind: 'bip32',
    path: { mainnet, testnet },
    xpub: { mainnet: xpub, testnet: xpub },
  }
}
