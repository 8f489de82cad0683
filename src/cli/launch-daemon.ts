import { dirname, join, resolve } from 'node:path'
import { isatty } from 'node:tty'
import { KmsError } from '../base/errors.ts'
import { secureUrl } from '../base/http.ts'
import type { Network } from '../base/model.ts'
import type { ChainSettings } from '../chains/chain.ts'
import { defaultSettings, isFlowScripts, isVerifyInputs } from '../chains/settings.ts'
import type { FrontConfig } from '../daemon/config.ts'
import { launch } from '../signer/launch.ts'
import type { SignerSettings } from '../signer/settings.ts'
import { nodeLabels } from '../tatum/node.ts'
import { requireVault } from '../vault/vault.ts'
import type { Context } from './context.ts'

const defaultApiUrl = 'https://api.tatum.io'

/** Public nodes of VeChain and Flow: what of these chains Tatum does not tell. */
const defaultNodes = {
  mainnet: { vet: 'https://sync-mainnet.vechain.org', flow: 'https://rest-mainnet.onflow.org' },
  testnet: { vet: 'https://sync-testnet.vechain.org', flow: 'https://rest-testnet.onflow.org' },
} as const satisfies Readonly<Record<Network, FrontConfig['nodes']>>

/** What the two processes are there for, and the rules that are given for it. */
export type DaemonTask = Pick<
  FrontConfig,
  'approver' | 'chains' | 'onlyWallets' | 'onlyPayments' | 'periodMs' | 'runOnce'
> &
  Pick<SignerSettings, 'acceptRollback' | 'acceptNonces' | 'cancel' | 'resign'> & {
    /** How long to wait for a daemon that is about to end. */
    readonly lockWaitMs: number
  }

/** Checks all it was told, starts the front, becomes the signer. */
export function launchDaemon(context: Context, task: DaemonTask): never {
  if (process.platform === 'win32') {
    throw new KmsError(
      'usage',
      'the daemon runs on linux and macOS; on windows use the other commands',
    )
  }
  const { network, place, secretMemory } = context
  const { acceptRollback, acceptNonces, cancel, resign, lockWaitMs } = task
  const chainSettings = chainSettingsOf(context)
  const front = frontConfig(context, chainSettings, task)
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
      cancel,
      resign,
    },
    front,
    frontEnvironment: frontEnvironment(context),
    readPassword: context.password,
  })
}

/** Where the front keeps its journal. */
export function journalFolder({ text, place }: Context): string {
  return resolve(text('journal') ?? join(dirname(place.path), 'journal'))
}

function chainSettingsOf(context: Context): ChainSettings {
  const flowScripts = context.variable('TATUM_KMS_FLOW_SCRIPTS') ?? defaultSettings.flowScripts
  const verifyInputs = context.text('verify-inputs') ?? defaultSettings.verifyInputs
  if (!isFlowScripts(flowScripts)) {
    throw new KmsError('usage', 'TATUM_KMS_FLOW_SCRIPTS is cadence1 or original')
  }
  if (!isVerifyInputs(verifyInputs)) {
    throw new KmsError('usage', '--verify-inputs is auto, require or off')
  }
  return { flowScripts, verifyInputs }
}

function frontConfig(
  context: Context,
  chainSettings: ChainSettings,
  {
    approver,
    chains,
    onlyWallets,
    onlyPayments,
    periodMs,
    runOnce,
    cancel,
    resign,
    lockWaitMs,
  }: DaemonTask,
): FrontConfig {
  const apiUrl = context.variable('TATUM_API_URL') ?? defaultApiUrl
  const insecureHttp = context.isSet('insecure-http')
  secureUrl(apiUrl, { label: 'the Tatum API', insecureHttp })
  return {
    apiUrl,
    apiKey: apiKey(context),
    nodes: nodes(context),
    approver,
    insecureHttp,
    network: context.network,
    chains,
    onlyWallets,
    onlyPayments,
    chainSettings,
    periodMs,
    runOnce,
    cancel,
    resign,
    journalFolder: journalFolder(context),
    lockWaitMs,
    logAsJson: !isatty(2),
  }
}

function apiKey(context: Context): string {
  const key = context.text('api-key') ?? context.variable('TATUM_API_KEY')
  if (key === undefined || !/^[\x21-\x7e]{1,512}$/.test(key)) {
    throw new KmsError('usage', 'there is no usable Tatum API key', {
      hint: 'set TATUM_API_KEY, or give --api-key',
    })
  }
  return key
}

function nodes(context: Context): FrontConfig['nodes'] {
  const insecureHttp = context.isSet('insecure-http')
  const { vet, flow } = defaultNodes[context.network]
  const own = {
    vet: context.variable('TATUM_KMS_VET_URL') ?? vet,
    flow: context.variable('TATUM_KMS_FLOW_URL') ?? flow,
  }
  secureUrl(own.vet, { label: nodeLabels.vet, insecureHttp })
  secureUrl(own.flow, { label: nodeLabels.flow, insecureHttp })
  return own
}

/** What Bun itself and the times in its log need: no password, no key, no proxy, no TLS override. */
function frontEnvironment({ variable }: Context): Readonly<Record<string, string>> {
  const allowed = ['PATH', 'LANG', 'TZ']
  return Object.fromEntries(
    allowed.flatMap(name => {
      const value = variable(name)
      return value === undefined ? [] : [[name, value]]
    }),
  )
}
