import { asArray, asRecord } from '../base/json.ts'
import type { ChainSettings } from './chain.ts'
import { isLiftable } from './denials.ts'

export const defaultSettings: ChainSettings = {
  flowScripts: 'cadence1',
  verifyInputs: 'auto',
  lifted: [],
  feeCaps: {},
}

/** As the main process hands them to front and signer; undefined when it did not. */
export function decodeChainSettings(value: unknown): ChainSettings | undefined {
  const record = asRecord(value)
  const flowScripts = record?.get('flowScripts')
  const verifyInputs = record?.get('verifyInputs')
  const lifted = asArray(record?.get('lifted'))
  const feeCaps = readFeeCaps(record?.get('feeCaps'))
  if (!isFlowScripts(flowScripts) || !isVerifyInputs(verifyInputs)) return undefined
  if (!lifted?.every(isLiftable) || feeCaps === undefined) return undefined
  return { flowScripts, verifyInputs, lifted, feeCaps }
}

export function isFlowScripts(value: unknown): value is ChainSettings['flowScripts'] {
  return value === 'cadence1' || value === 'original'
}

export function isVerifyInputs(value: unknown): value is ChainSettings['verifyInputs'] {
  return value === 'auto' || value === 'require' || value === 'off'
}

/** Base units in decimal digits, as `ChainSettings.feeCaps` has them. */
function isFeeCap(value: unknown): value is string {
  return typeof value === 'string' && /^(?:0|[1-9]\d{0,39})$/.test(value)
}

function readFeeCaps(value: unknown): ChainSettings['feeCaps'] | undefined {
  const caps = asRecord(value)
  if (caps === undefined) return undefined
  const read = new Map<string, string>()
  for (const [chain, cap] of caps) {
    if (!isFeeCap(cap)) return undefined
    read.set(chain, cap)
  }
  return Object.fromEntries(read)
}
