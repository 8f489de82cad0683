import { resolve } from 'node:path'
import { KmsError } from '../base/errors.ts'
import type { ChainSettings } from '../chains/chain.ts'
import { defaultSettings, isFlowScripts, isVerifyInputs } from '../chains/settings.ts'
import type { SignerSettings } from '../signer/settings.ts'
import type { Context } from './context.ts'
import { shareOption } from './share-option.ts'

/** Which file the signer reads: the front learns nothing of it. */
export function policyOf({ text }: Context): Pick<SignerSettings, 'policyPath' | 'policyShare'> {
  const path = text('policy')
  const policyShare = shareOption(text('share'))
  if (path !== undefined) return { policyPath: resolve(path), policyShare }
  if (policyShare === null) return { policyPath: null, policyShare }
  throw new KmsError('usage', '--share divides the windows of a policy: give --policy as well')
}

export function chainSettingsOf(context: Context): ChainSettings {
  const flowScripts = context.variable('TATUM_KMS_FLOW_SCRIPTS') ?? defaultSettings.flowScripts
  const verifyInputs = context.text('verify-inputs') ?? defaultSettings.verifyInputs
  if (!isFlowScripts(flowScripts)) {
    throw new KmsError('usage', 'TATUM_KMS_FLOW_SCRIPTS is cadence1 or original')
  }
  if (!isVerifyInputs(verifyInputs)) {
    throw new KmsError('usage', '--verify-inputs is auto, require or off')
  }
  return { ...defaultSettings, flowScripts, verifyInputs }
}

/** What the owner puts up with, against what the signer does by itself. */
export function exceptionsOf({
  text,
  isSet,
}: Context): Pick<SignerSettings, 'acceptRollback' | 'acceptNonces' | 'allowReplacement'> {
  return {
    acceptRollback: isSet('accept-rollback'),
    acceptNonces: addresses(text('accept-nonce')),
    allowReplacement: isSet('allow-replacement'),
  }
}

/** Compared in lower case: capital letters in an address are a checksum, if they mean anything. */
function addresses(list: string | undefined): readonly string[] {
  const given = list?.toLowerCase().split(',') ?? []
  if (given.every(address => /^\w{20,120}$/.test(address))) return given
  throw new KmsError('usage', '--accept-nonce takes addresses, separated by commas')
}

/** In a shared journal a number is the first payment's for ever: the bytes of another never go out. */
export function refuseReplacement(allowReplacement: boolean, isShared: boolean): void {
  if (!allowReplacement || !isShared) return
  throw new KmsError('usage', '--allow-replacement is for a journal that is not shared')
}
