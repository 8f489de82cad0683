import { confineReach, settleMisses } from '../base/confinement.ts'
import { KmsError } from '../base/errors.ts'
import { encodeJson } from '../base/json.ts'
import { noApprovers } from '../guard/signed-verdicts.ts'
import { signerReach } from '../signer/confine.ts'
import { launch } from '../signer/launch.ts'
import type { SignerSettings } from '../signer/settings.ts'
import { requireVault } from '../vault/vault.ts'
import type { Context } from './context.ts'
import { type FrontTask, frontConfigOf } from './front-config.ts'
import { frontReachOf, refuseSharedFolders } from './front-reach.ts'
import { frontVariables } from './front-variables.ts'
import { notifySettings } from './operations.ts'
import { chainSettingsOf, policyOf, refuseReplacement } from './signer-rules.ts'

/** What the two processes are there for, and the rules that are given for it. */
export type DaemonTask = FrontTask &
  Pick<SignerSettings, 'acceptRollback' | 'acceptNonces' | 'allowReplacement'>

/** Checks all it was told, starts the front, becomes the signer. */
export function launchDaemon(context: Context, task: DaemonTask): never {
  if (process.platform === 'win32') {
    throw new KmsError(
      'usage',
      'the daemon runs on linux and macOS; on windows use the other commands',
    )
  }
  const { network, place, secretMemory } = context
  const { acceptRollback, acceptNonces, allowReplacement, cancel, resign, lockWaitMs } = task
  const chainSettings = chainSettingsOf(context)
  const front = frontConfigOf(context, chainSettings, task)
  const policy = policyOf(context)
  refuseReplacement(allowReplacement, front.sharedJournal !== null)
  const reach = frontReachOf(front)
  const requireHardening = context.isSet('require-hardening')
  refuseSharedFolders(reach, {
    'the vault': place.path,
    'the password file': context.text('password-file'),
    'the policy': policy.policyPath ?? undefined,
    'the env file': context.envFile(),
  })
  requireVault(place)
  return launch({
    self: context.self,
    signer: {
      vaultPath: place.path,
      network,
      chainSettings,
      secretMemory,
      lockWaitMs,
      acceptRollback,
      acceptNonces,
      othersSign: front.sharedJournal !== null,
      allowReplacement,
      cancel,
      resign,
      ...notifySettings(),
      approvers: task.approver?.rules ?? noApprovers,
      ...policy,
      requireHardening,
    },
    front,
    frontCommand: ['confine-front', encodeJson({ reach, requireHardening })],
    frontEnvironment: frontVariables(context.variable),
    readPassword: context.passwordToPassOn,
    confine() {
      const paths = { vaultPath: place.path, policyPath: policy.policyPath }
      const misses = confineReach(signerReach(paths))
      // Without it the signer tells of them, together with its own.
      if (requireHardening) settleMisses('the signer', misses, { isRequired: true })
      return misses
    },
  })
}
