import { realDisk } from '../../base/disk.ts'
import { findChain } from '../../chains/index.ts'
import { useSecretMemory } from '../../secret/memory.ts'
import { runSigner } from '../../signer/run.ts'
import { decodeSignerSettings } from '../../signer/settings.ts'
import type { Action } from '../action.ts'

/** The keyed process; `daemon` becomes it. */
export const signer: Action = async ({ terminal, now, onStopSignal }, [settingsText = '']) => {
  const settings = decodeSignerSettings(settingsText)
  useSecretMemory(settings.secretMemory)
  const { vaultPath: path, lockWaitMs } = settings
  return runSigner(settings, {
    place: { disk: realDisk, path, lockWaitMs },
    findChain,
    now,
    warn: terminal.warn,
    onStopSignal,
  })
}
