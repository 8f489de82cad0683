import { dirname, join, resolve } from 'node:path'
import { isatty } from 'node:tty'
import { KmsError } from '../../base/errors.ts'
import { secureUrl } from '../../base/http.ts'
import type { Network } from '../../base/model.ts'
import type { ChainSettings } from '../../chains/chain.ts'
import { chainNames } from '../../chains/names.ts'
import { defaultSettings, isFlowScripts, isVerifyInputs } from '../../chains/settings.ts'
import type { FrontConfig } from '../../daemon/config.ts'
import { launch } from '../../signer/launch.ts'
import { nodeLabels } from '../../tatum/node.ts'
import { vaultExists } from '../../vault/vault.ts'
import type { Action } from '../action.ts'
import { chainList } from '../chain-argument.ts'
import type { Context } from '../context.ts'

const defaultApiUrl = 'https://api.tatum.io'

/** Public nodes of VeChain and Flow: what of these chains Tatum does not tell. */
const defaultNodes = {
  mainnet: { vet: 'https://sync-mainnet.vechain.org', flow: 'https://rest-mainnet.onflow.org' },
  testnet: { vet: 'https://sync-testnet.vechain.org', flow: 'https://rest-testnet.onflow.org' },
} as const satisfies Readonly<Record<Network, FrontConfig['nodes']>>

/** `daemon`: checks all it was told, starts the front, becomes the signer. */
export const daemon: Action = async context => {
  if (process.platform === 'win32') {
    throw new KmsError(
      'usage',
      'the daemon runs on linux and macOS; on windows use the other commands',
    )
  }
  const { network, place, secretMemory } = context
  const chainSettings = chainSettingsOf(context)
  const front = frontConfig(context, chainSettings)
  if (!vaultExists(place)) {
    throw new KmsError('vault-missing', `there is no vault at ${place.path}`, {
      hint: 'generatemanagedwallet or storemanagedwallet makes one',
    })
  }
  return launch({
    self: context.self,
    signer: {
      vaultPath: place.path,
      network,
      chainSettings,
      secretMemory,
      lockWaitMs: place.lockWaitMs,
      acceptRollback: context.isSet('accept-rollback'),
    },
    front,
    frontEnvironment: frontEnvironment(context),
    readPassword: context.password,
  })
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

function frontConfig(context: Context, chainSettings: ChainSettings): FrontConfig {
  const { network, place } = context
  const apiUrl = context.variable('TATUM_API_URL') ?? defaultApiUrl
  const insecureHttp = context.isSet('insecure-http')
  secureUrl(apiUrl, { label: 'the Tatum API', insecureHttp })
  const chains = context.text('chain')
  return {
    apiUrl,
    apiKey: apiKey(context),
    nodes: nodes(context),
    approver: approver(context),
    insecureHttp,
    network,
    chains: chains === undefined ? chainNames.map(([id]) => id) : chainList(chains),
    chainSettings,
    periodMs: periodMs(context.text('period')),
    runOnce: context.isSet('run-once'),
    journalFolder: resolve(context.text('journal') ?? join(dirname(place.path), 'journal')),
    lockWaitMs: place.lockWaitMs,
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

/** On main networks somebody else must agree to every payment, as with the original. */
function approver(context: Context): FrontConfig['approver'] {
  const url = context.text('external-url')
  const method = context.text('external-url-method') ?? 'GET'
  if (method !== 'GET' && method !== 'POST') {
    throw new KmsError('usage', '--external-url-method is GET or POST')
  }
  if (url === undefined) {
    if (context.network === 'testnet') return null
    throw new KmsError('usage', 'missing required flag --external-url', {
      hint: 'on main networks every payment needs an approval server',
    })
  }
  const label = 'the approval server'
  const { protocol, hostname } = secureUrl(url, { label, insecureHttp: true })
  if (protocol === 'http:' && hostname !== '127.0.0.1' && hostname !== 'localhost') {
    context.terminal.warn('the approval server is asked over http: its answer can be forged')
  }
  return { url, method }
}

function periodMs(text: string | undefined): number {
  const seconds = Number(text ?? '5')
  if (/^\d+(\.\d+)?$/.test(text ?? '5') && seconds > 0 && seconds <= 86_400) {
    return Math.max(1, Math.round(seconds * 1000))
  }
  throw new KmsError('usage', '--period is a number of seconds above 0, up to a day')
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
