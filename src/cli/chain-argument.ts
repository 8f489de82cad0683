import { KmsError } from '../base/errors.ts'
import type { Chain } from '../chains/chain.ts'
import { findChain } from '../chains/index.ts'
import { chainNames } from '../chains/names.ts'

/** The chain a command is given by its symbol: upper case, as the original. */
export function chainArgument(given: string | undefined): Chain {
  const chain = findChain(given?.trim() ?? '')
  if (chain !== undefined) return chain
  const upper = given?.trim().toUpperCase() ?? ''
  throw new KmsError('usage', 'unsupported blockchain', {
    hint: findChain(upper) ? `did you mean ${upper}` : `one of ${knownChains()}`,
  })
}

/** `BTC, ETH` as a list of known symbols. */
export function chainList(given: string): readonly string[] {
  return given.split(',').map(id => chainArgument(id).id)
}

function knownChains(): string {
  return chainNames.map(([id]) => id).join(', ')
}
