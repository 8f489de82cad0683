import { asRecord } from '../base/json.ts'
import type { ChainSettings } from './chain.ts'

export const defaultSettings: ChainSettings = { flowScripts: 'cadence1', verifyInputs: 'auto' }

/** As the main process hands them to front and signer; undefined when it did not. */
export function decodeChainSettings(value: unknown): ChainSettings | undefined {
  const record = asRecord(value)
  const flowScripts = record?.get('flowScripts')
  const verifyInputs = record?.get('verifyInputs')
  if (!isFlowScripts(flowScripts) || !isVerifyInputs(verifyInputs)) return undefined
  return { flowScripts, verifyInputs }
}

export function isFlowScripts(value: unknown): value is ChainSettings['flowScripts'] {
  return value === 'cadence1' || value === 'original'
}

export function isVerifyInputs(value: unknown): value is ChainSettings['verifyInputs'] {
  return value === 'auto' || value === 'require' || value === 'off'
}
