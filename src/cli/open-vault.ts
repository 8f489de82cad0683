import { openVault, requireVault, type Vault } from '../vault/vault.ts'
import type { Context } from './context.ts'

/** Opens the vault a command reads from. One that is not there needs no password to say so. */
export function openWithPassword({ place, password }: Context): Vault {
  requireVault(place)
  using secret = password()
  return openVault(place, secret)
}
