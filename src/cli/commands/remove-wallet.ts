import { changeVault, requireVault } from '../../vault/vault.ts'
import type { Action } from '../action.ts'

/** `removewallet ID`: prints nothing, as the original; an unknown id is a failure. */
export const removeWallet: Action = async ({ place, now, password }, [id = '']) => {
  requireVault(place)
  using secret = password()
  await changeVault(place, secret, draft => draft.remove(id), { create: false, now: now() })
  return 0
}
