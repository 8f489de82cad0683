/** `amount` in units of 1e-8; `denom`: 'BNB', or a token's symbol as 'BUSD-BD1'. */
export type Coin = { readonly denom: string; readonly amount: bigint }

/** Who pays what, or gets it; the address in bech32. */
export type Side = { readonly address: string; readonly coins: readonly Coin[] }

/** A transfer of the Beacon Chain. Account number and sequence are completed. */
export type BnbTx = {
  readonly inputs: readonly Side[]
  readonly outputs: readonly Side[]
  readonly memo: string
  readonly accountNumber?: bigint
  readonly sequence?: bigint
}

export type FilledTx = BnbTx & Required<Pick<BnbTx, 'accountNumber' | 'sequence'>>

/** How much of each coin there is on one side, by name. */
export function coinsOf(sides: readonly Side[]): ReadonlyMap<string, bigint> {
  const sums = new Map<string, bigint>()
  for (const { denom, amount } of sides.flatMap(({ coins }) => coins)) {
    sums.set(denom, (sums.get(denom) ?? 0n) + amount)
  }
  return sums
}
