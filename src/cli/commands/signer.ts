import { findChain } from '../../chains/index.ts'
import { useSecretMemory } from '../../secret/memory.ts'
import { runSigner } from '../../signer/run.ts'
import { decodeSignerSettings } from '../../signer/settings.ts'
import type { Action } from '../action.ts'

/** The keyed process; `daemon` becomes it. */
export const signer: Action = async ({ place, now, onStopSignal }, [settingsText = '']) => {
  const settings = decodeSignerSettings(settingsText)
  useSecretMemory(settings.secretMemory)
  return runSigner(settings, {
    place: { ...place, path: settings.vaultPath, lockWaitMs: settings.lockWaitMs },
    findChain,
    now,
    onStopSignal,
  })
}
