import { hash160 } from '@scure/btc-signer/utils.js'
import { hex } from '../../base/bytes.ts'
import type { Network, PublicKey } from '../../base/model.ts'
import { encodeCashaddr } from '../codec/cashaddr.ts'
import { describeUnaddressed, p2pkhScript } from './utxo-script.ts'
import { bytesOf } from './utxo-tx.ts'

const prefixes = { mainnet: 'bitcoincash', testnet: 'bchtest' } as const

/** The script of the only outputs that are spent here: of one key, by its hash. */
export function ownScript({ bytes }: PublicKey): string {
  return p2pkhScript(hex(hash160(bytes)))
}

/**
 * The cashaddr of a script, with its prefix; else as on the other chains of the family. Two different
 * scripts never have the same text.
 */
export function describeScript(script: string, network: Network): string {
  for (const [type, pattern] of addressed) {
    const hash = pattern.exec(script)?.[1]
    const address = hash && encodeCashaddr(prefixes[network], type, bytesOf(hash))
    if (address) return address
  }
  return describeUnaddressed(script)
}

/** The second form of P2SH, with a hash of 32 bytes, is of the upgrade of May 2023 (CHIP-2022-05). */
const addressed: readonly (readonly ['P2PKH' | 'P2SH', RegExp])[] = [
  ['P2PKH', /^76a914([0-9a-f]{40})88ac$/],
  ['P2SH', /^a914([0-9a-f]{40})87$/],
  ['P2SH', /^aa20([0-9a-f]{64})87$/],
]
