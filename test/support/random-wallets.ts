import samples from '../vectors/wallets-random-samples.json'

/** A wallet that the original made; its members are those of the chain. */
export type RandomWallet = {
  readonly address: string
  readonly secret?: string
  readonly privateKey?: string
  readonly mnemonic?: string
}

/** Every wallet of `chain` on record that was not made from a given mnemonic. */
export function randomWallets(chain: string): readonly RandomWallet[] {
  return samples.samples
    .filter(entry => entry.chain === chain)
    .flatMap(entry => [entry.samples, entry.generatewallet_v1_samples])
    .flat()
    .filter(wallet => 'address' in wallet)
}
