import { confineReach, settleMisses } from '../base/confinement.ts'
import { signerReach } from '../signer/confine.ts'
import type { SignerPlan } from '../signer/launch.ts'
import type { SignerSettings } from '../signer/settings.ts'
import type { Context } from './context.ts'
import { notifySettings } from './operations.ts'
import { policyOf } from './signer-rules.ts'

/** What a signer is there for, and its rules. */
type SignerTask = Pick<
  SignerSettings,
  | 'chainSettings'
  | 'lockWaitMs'
  | 'acceptRollback'
  | 'acceptNonces'
  | 'allowReplacement'
  | 'othersSign'
  | 'approvers'
  | 'cancel'
  | 'resign'
>

/** All that this process goes by as a signer. None of it comes from a front. */
export function signerPlanOf(context: Context, task: SignerTask): SignerPlan {
  const { self, network, place, secretMemory, isSet, passwordToPassOn: readPassword } = context
  const policy = policyOf(context)
  const requireHardening = isSet('require-hardening')
  const vaultPath = place.path
  return {
    self,
    readPassword,
    signer: {
      ...{ vaultPath, network, secretMemory, requireHardening },
      ...task,
      ...policy,
      ...notifySettings(),
    },
    confine() {
      const misses = confineReach(signerReach({ vaultPath, policyPath: policy.policyPath }))
      // Without it the signer tells of them, together with its own.
      if (requireHardening) settleMisses('the signer', misses, { isRequired: true })
      return misses
    },
  }
}
