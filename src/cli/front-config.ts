import { KmsError } from '../base/errors.ts'
import { secureUrl } from '../base/http.ts'
import type { Network } from '../base/model.ts'
import type { ChainSettings } from '../chains/chain.ts'
import { chainNames } from '../chains/names.ts'
import type { FrontConfig } from '../daemon/config.ts'
import { nodeLabels } from '../tatum/node.ts'
import { isPendingId } from '../tatum/pending.ts'
import { apiKey } from './api-key.ts'
import { apiUrlOf } from './api-url.ts'
import { approvalServer } from './approval-server.ts'
import { chainList } from './chain-argument.ts'
import type { Context } from './context.ts'
import { operationsOf, stateFolder } from './operations.ts'
import { reachingOut } from './reaching-out.ts'
import { seconds } from './seconds.ts'
import { sharedJournal } from './shared-journal.ts'

/** Public nodes of VeChain and Flow: what of these chains Tatum does not tell. */
const defaultNodes = {
  mainnet: { vet: 'https://sync-mainnet.vechain.org', flow: 'https://rest-mainnet.onflow.org' },
  testnet: { vet: 'https://sync-testnet.vechain.org', flow: 'https://rest-testnet.onflow.org' },
} as const satisfies Readonly<Record<Network, FrontConfig['nodes']>>

/** What a network process is there for. */
export type FrontTask = Pick<
  FrontConfig,
  | 'approver'
  | 'chains'
  | 'onlyWallets'
  | 'onlyPayments'
  | 'periodMs'
  | 'runOnce'
  | 'cancel'
  | 'resign'
> & {
  /** How long to wait for a daemon that is about to end. */
  readonly lockWaitMs: number
}

/** To poll and pay until it is told to stop. */
export function pollingTask(context: Context): Omit<FrontTask, 'lockWaitMs'> {
  const { text, isSet } = context
  const chains = text('chain')
  return {
    approver: approvalServer(context),
    chains: chains === undefined ? chainNames.map(([id]) => id) : chainList(chains),
    onlyWallets: walletIds(text('wallets')),
    onlyPayments: pendingIds(text('transaction-ids')),
    periodMs: seconds('--period', text('period') ?? '5'),
    runOnce: isSet('run-once'),
    cancel: null,
    resign: null,
  }
}

function walletIds(list: string | undefined): readonly string[] | null {
  const ids = list?.toLowerCase().split(',') ?? null
  if (ids?.every(id => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) ?? true) return ids
  throw new KmsError('usage', '--wallets takes signatureIds, separated by commas')
}

function pendingIds(list: string | undefined): readonly string[] | null {
  const ids = list?.split(',') ?? null
  if (ids?.every(isPendingId) ?? true) return ids
  throw new KmsError('usage', '--transaction-ids takes ids of pending transactions, with commas')
}

/** All that the network process goes by, checked. */
export function frontConfigOf(
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
  }: FrontTask,
): FrontConfig {
  const apiUrl = apiUrlOf(context)
  const insecureHttp = context.isSet('insecure-http')
  secureUrl(apiUrl, { label: 'the Tatum API', insecureHttp })
  return {
    apiUrl,
    apiKey: apiKey(context),
    nodes: nodesOf(context),
    approver,
    insecureHttp,
    ...reachingOut(context),
    network: context.network,
    chains,
    onlyWallets,
    onlyPayments,
    chainSettings,
    periodMs,
    runOnce,
    cancel,
    resign,
    journalFolder: stateFolder(context),
    sharedJournal: sharedJournal(context),
    lockWaitMs,
    operations: operationsOf(context, periodMs),
  }
}

export function nodesOf(context: Context): FrontConfig['nodes'] {
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
