import { join } from 'node:path'
import { type Disk, withLock } from '../base/disk.ts'
import { asKmsError, type KmsError } from '../base/errors.ts'
import { ensureFolder } from '../base/guarded-file.ts'
import { type Http, request } from '../base/http.ts'
import type { Notifier } from '../base/notify.ts'
import type { Chain, ChainSettings } from '../chains/chain.ts'
import { decodeChainSettings } from '../chains/settings.ts'
import { createApprover, createSigningApprover } from '../guard/approval.ts'
import { connectSigner, type SignerClient } from '../signer/client.ts'
import { createTatumApi } from '../tatum/api.ts'
import { createNode } from '../tatum/node.ts'
import { type Approve, approveBySignature, approveByStatus } from './approve.ts'
import { askInBatches, lookUpInBatches, reviewInBatches } from './ask-to-sign.ts'
import { type Cancelled, cancelPayment } from './cancel.ts'
import { decodeFrontConfig, type FrontConfig } from './config.ts'
import { type DaemonDeps, drainMs, runDaemon, runOnce } from './daemon.ts'
import { withHeartbeat } from './heartbeat.ts'
import { whileHeld } from './hold.ts'
import type { Journal, JournalScope } from './journal.ts'
import { openSharedJournal } from './journal-postgres.ts'
import { openJournal } from './journal-sqlite.ts'
import { meterApprovals, meterHttp, meterRetries, type Peer } from './metered.ts'
import { createOperations, type Operations } from './operations.ts'
import { type Resigned, resignPayment } from './resign.ts'
import type { CycleReport, Endings } from './run.ts'

export type FrontWorld = {
  readonly channelFd: number
  readonly version: string
  readonly findChain: (id: string) => Chain | undefined
  readonly now: () => number
  /** Milliseconds since some time, whatever the clock is set to. */
  readonly monotonic: () => number
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>
  readonly random: () => number
  readonly writeLog: (line: string) => void
  /** Where the journal is. */
  readonly disk: Disk
  readonly onStopSignal: (stop: () => void) => void
  /** Where the front is a service of its own: what it was told, and whom it tells how it is. */
  readonly service?: { readonly config: FrontConfig; readonly notifier: Notifier }
  /** Tests wrap these to end the process between two steps. */
  readonly http?: Http
  readonly openJournal?: typeof openJournal
}

/** What a front came to that had one thing to do: a cycle (`--run-once`), or an order of a person. */
export type FrontOutcome =
  | CycleReport
  | { readonly cancelled: Cancelled }
  | { readonly resigned: Resigned }

/**
 * The network process: everything hostile is parsed here, and no key has ever been here.
 *
 * @returns undefined after a stop
 */
export async function runFront(world: FrontWorld): Promise<FrontOutcome | undefined> {
  const stop = new AbortController()
  const abort = new AbortController()
  const startDraining = (): void => {
    world.service?.notifier.stopping()
    stop.abort()
    void world.sleep(drainMs, abort.signal).then(() => abort.abort())
  }
  let gone: KmsError | undefined
  let told: ChainSettings | undefined
  const connected = connectSigner(world.channelFd, {
    onStop: startDraining,
    onSettings: chainSettings => {
      told = decodeChainSettings(chainSettings) ?? told
    },
    onEnd: fault => {
      gone = fault
      stop.abort()
      abort.abort()
    },
  })
  const signer = world.service ? withHeartbeat(connected, world.service.notifier) : connected
  world.onStopSignal(startDraining)
  const unready = await faultOf(signer.ready)
  // A signer that is our parent has said why, and its status is the one that counts.
  if (unready !== undefined && world.service === undefined) return undefined
  if (unready !== undefined) throw unready
  const given = world.service?.config ?? decodeFrontConfig(await signer.config)
  const config: FrontConfig = {
    ...given,
    get chainSettings() {
      return told ?? given.chainSettings
    },
  }
  const endings = { stop: stop.signal, abort: abort.signal }
  /** Without a signer nothing was finished: that is no clean end. */
  const orGone = async <T>(working: Promise<T>): Promise<T> => {
    const outcome = await working
    if (gone !== undefined) throw gone
    return outcome
  }
  const path = join(config.journalFolder, 'payments.sqlite')
  ensureFolder(world.disk, config.journalFolder)
  // One that is shared has leases in the place of a lock.
  if (config.sharedJournal !== null) return await orGone(work(world, config, signer, path, endings))
  const held = new AbortController()
  // A front that is just draining has it for a moment longer than the signer has its ledger.
  const waitMs = Math.min(config.lockWaitMs, 2 * drainMs)
  const working = withLock(world.disk, path, waitMs, () => {
    held.abort()
    return work(world, config, signer, path, endings)
  })
  return await orGone(Promise.race([working, stoppedBefore(held.signal, stop.signal, config)]))
}

async function work(
  world: FrontWorld,
  config: FrontConfig,
  signer: SignerClient,
  path: string,
  endings: Endings,
): Promise<FrontOutcome | undefined> {
  const status = await signer.ask({ type: 'status' })
  const { vaultId } = status
  const { network, runOnce: isOnce, cancel, resign } = config
  const journal = await open(world, config, signer, path, { vaultId, network })
  try {
    const operations = createOperations(world, config, signer, status)
    const deps = assemble(world, config, operations, journal)
    const { abort } = endings
    const ordered = <T>(id: string, work: () => Promise<T>): Promise<T> =>
      whileHeld(deps, { id, waitMs: 2 * (config.sharedJournal?.leaseMs ?? 0) }, abort, work)
    if (cancel !== null) {
      return { cancelled: await ordered(cancel, () => cancelPayment(deps, cancel, abort)) }
    }
    if (resign !== null) {
      return { resigned: await ordered(resign, () => resignPayment(deps, resign, abort)) }
    }
    const close = await operations.open(endings.stop)
    try {
      if (isOnce) return await runOnce(deps, endings)
      await runDaemon(deps, endings)
      return undefined
    } finally {
      close()
    }
  } finally {
    await journal.close()
  }
}

async function open(
  world: FrontWorld,
  { sharedJournal }: FrontConfig,
  signer: SignerClient,
  path: string,
  scope: JournalScope,
): Promise<Journal> {
  const { now, monotonic, sleep, random, openJournal: openOwn = openJournal } = world
  if (sharedJournal === null) return await openOwn(path, scope, now)
  const owner = `${sharedJournal.machine}/${process.pid}/${random().toString(36).slice(2)}`
  return openSharedJournal(sharedJournal, scope, {
    now,
    monotonic,
    sleep,
    owner,
    async claimsOf(pendingId) {
      return (await signer.ask({ type: 'claims', pendingId })).claims
    },
  })
}

/** A front that waits for another one's lock has nothing to finish. */
function stoppedBefore(
  held: AbortSignal,
  stop: AbortSignal,
  { runOnce: isOnce }: FrontConfig,
): Promise<CycleReport | undefined> {
  const { promise, resolve } = Promise.withResolvers<CycleReport | undefined>()
  const end = (): void => {
    if (!held.aborted)
      resolve(isOnce ? { sent: 0, uncompleted: 0, failures: ['terminated'] } : undefined)
  }
  if (stop.aborted) end()
  stop.addEventListener('abort', end)
  return promise
}

/** Undefined when it comes to a good end. */
function faultOf(work: Promise<void>): Promise<KmsError | undefined> {
  return work.then(() => undefined, asKmsError)
}

function assemble(
  world: FrontWorld,
  config: FrontConfig,
  { log, metrics, observer, apiObserver, pulse, signer }: Operations,
  journal: Journal,
): DaemonDeps {
  const { disk, random, findChain, now, monotonic, sleep } = world
  const { apiUrl: baseUrl, apiKey, insecureHttp, approver, network, periodMs } = config
  const { chains, onlyWallets, onlyPayments, nodes } = config
  const { idlePeriodMs, keepPaymentsMs, stateFolder } = config.operations
  const common = { version: world.version, insecureHttp, random }
  const meteredHttp = (peer: Peer): Http =>
    meterHttp(asTold(world.http ?? request, config), peer, metrics)
  const metered = (peer: Peer) => ({
    ...common,
    http: meteredHttp(peer),
    sleep: meterRetries(sleep, peer, metrics),
  })
  return {
    api: createTatumApi({ ...metered('tatum'), baseUrl, apiKey, observer: apiObserver }),
    nodes: {
      vet: createNode('vet', { ...metered('vet_node'), baseUrl: nodes.vet }),
      flow: createNode('flow', { ...metered('flow_node'), baseUrl: nodes.flow }),
    },
    approve: approver
      ? meterApprovals(approveBy(approver, signer, { http: meteredHttp('approver'), now }), metrics)
      : undefined,
    log,
    observer,
    pulse,
    signer,
    askToSign: askInBatches(signer),
    askIfSigned: lookUpInBatches(signer),
    journal,
    disk,
    stateFolder,
    now,
    monotonic,
    random,
    network,
    get chainSettings() {
      return config.chainSettings
    },
    findChain,
    chains,
    onlyWallets: onlyWallets ? new Set(onlyWallets) : undefined,
    onlyPayments: onlyPayments ? new Set(onlyPayments) : undefined,
    periodMs,
    idlePeriodMs,
    keepPaymentsMs,
    sleep,
  }
}

/** Servers are reached and known as the owner says. */
export function asTold(
  http: Http,
  { authorities, proxy }: Pick<FrontConfig, 'authorities' | 'proxy'>,
): Http {
  const told = { authorities: authorities ?? undefined, proxy: proxy ?? undefined }
  return asked => http({ ...asked, ...told })
}

function approveBy(
  { url, method, rules }: NonNullable<FrontConfig['approver']>,
  signer: SignerClient,
  { http, now }: { readonly http: Http; readonly now: () => number },
): Approve {
  // It may be http: the original's own examples are, and no key goes there.
  const settings = { url, method, insecureHttp: true }
  if (rules.keys.length === 0) return approveByStatus(createApprover(settings, http))
  const approval = { rules, review: reviewInBatches(signer), signer, now }
  return approveBySignature(createSigningApprover(settings, http), approval)
}
