import { KmsError } from '../base/errors.ts'
import { encodeJson } from '../base/json.ts'
import { noApprovers } from '../guard/signed-verdicts.ts'
import { launch } from '../signer/launch.ts'
import type { SignerSettings } from '../signer/settings.ts'
import { requireVault } from '../vault/vault.ts'
import type { Context } from './context.ts'
import { type FrontTask, frontConfigOf } from './front-config.ts'
import { frontReachOf, refuseSharedFolders } from './front-reach.ts'
import { frontVariables } from './front-variables.ts'
import { signerPlanOf } from './signer-plan.ts'
import { chainSettingsOf, refuseReplacement } from './signer-rules.ts'
import { environmentVariable } from './variables.ts'

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
  const { acceptRollback, acceptNonces, allowReplacement, cancel, resign, lockWaitMs } = task
  const chainSettings = chainSettingsOf(context)
  const front = frontConfigOf(context, chainSettings, task)
  const othersSign = front.sharedJournal !== null
  refuseReplacement(allowReplacement, othersSign)
  const plan = signerPlanOf(context, {
    ...{ acceptRollback, acceptNonces, allowReplacement, cancel, resign, lockWaitMs },
    ...{ chainSettings, othersSign, approvers: task.approver?.rules ?? noApprovers },
  })
  const reach = frontReachOf(front)
  refuseSharedFolders(reach, {
    'the vault': plan.signer.vaultPath,
    'the password file': context.text('password-file'),
    'the credentials folder': environmentVariable('CREDENTIALS_DIRECTORY'),
    'the policy': plan.signer.policyPath ?? undefined,
    'the env file': context.envFile(),
  })
  requireVault(context.place)
  const { requireHardening } = plan.signer
  return launch({
    ...plan,
    front,
    frontCommand: ['confine-front', encodeJson({ reach, requireHardening })],
    frontEnvironment: frontVariables(context.variable),
  })
}
