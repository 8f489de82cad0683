/**
 * The chains by id and name, without their code: help and argument checks start instantly.
 * A test keeps this equal to the registry.
 */
export const chainNames = [
  ['BTC', 'Bitcoin'],
  ['ETH', 'Ethereum'],
] as const satisfies readonly (readonly [id: string, name: string])[]
