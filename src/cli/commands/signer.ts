import { confineCalls, settleMisses } from '../../base/confinement.ts'
import { realDisk } from '../../base/disk.ts'
import { findChain } from '../../chains/index.ts'
import { useSecretMemory } from '../../secret/memory.ts'
import { signerRefusals } from '../../signer/confine.ts'
import { runSigner } from '../../signer/run.ts'
import { decodeSignerSettings } from '../../signer/settings.ts'
import type { Action } from '../action.ts'
import { markPriorities } from '../terminal.ts'

/** The keyed process; `daemon` becomes it. */
export const signer: Action = async (context, [settingsText = '']) => {
  const { terminal, now, monotonic, onStopSignal, onReloadSignal } = context
  const settings = decodeSignerSettings(settingsText)
  if (settings.logPriorities) markPriorities()
  useSecretMemory(settings.secretMemory)
  const { vaultPath: path, lockWaitMs } = settings
  return runSigner(settings, {
    place: { disk: realDisk, path, lockWaitMs },
    findChain,
    now,
    monotonic,
    warn: terminal.warn,
    note: terminal.note,
    confine() {
      const misses = [...settings.misses, ...confineCalls(signerRefusals(settings.frontPid))]
      const isRequired = settings.requireHardening
      settleMisses('the signer', misses, { isRequired, warn: terminal.warn })
    },
    onStopSignal,
    onReloadSignal,
  })
}
