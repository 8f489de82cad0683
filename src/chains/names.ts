/**
 * The chains by id and name, without their code: help and argument checks start instantly.
 * A test keeps this equal to the registry.
 */
export const chainNames = [
  ['BTC', 'Bitcoin'],
  ['ETH', 'Ethereum'],
] as const satisfies readonly (readonly [id: string, name: string])[]

export type ChainId = (typeof chainNames)[number][0]

export function isChainId(id: string): id is ChainId {
  return chainNames.some(([known]) => known === id)
}
