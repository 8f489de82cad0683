import { join } from 'node:path'
import { type Disk, withLock } from '../base/disk.ts'
import type { KmsError } from '../base/errors.ts'
import { ensureFolder } from '../base/guarded-file.ts'
import { type Http, request } from '../base/http.ts'
import { createLog } from '../base/log.ts'
import type { Chain } from '../chains/chain.ts'
import { createApprover } from '../guard/approval.ts'
import { connectSigner, type SignerClient } from '../signer/client.ts'
import { createTatumApi } from '../tatum/api.ts'
import { createNode } from '../tatum/node.ts'
import { askInBatches } from './ask-to-sign.ts'
import { type Cancelled, cancelPayment } from './cancel.ts'
import { decodeFrontConfig, type FrontConfig } from './config.ts'
import { type DaemonDeps, drainMs, runDaemon, runOnce } from './daemon.ts'
import { type Journal, openJournal } from './journal.ts'
import { type Resigned, resignPayment } from './resign.ts'
import type { CycleReport, Endings } from './run.ts'

export type FrontWorld = {
  readonly channelFd: number
  readonly version: string
  readonly findChain: (id: string) => Chain | undefined
  readonly now: () => number
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>
  readonly random: () => number
  readonly writeLog: (line: string) => void
  /** Where the journal is. */
  readonly disk: Disk
  readonly onStopSignal: (stop: () => void) => void
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
    stop.abort()
    void world.sleep(drainMs, abort.signal).then(() => abort.abort())
  }
  let gone: KmsError | undefined
  const signer = connectSigner(world.channelFd, {
    onStop: startDraining,
    onEnd: fault => {
      gone = fault
      stop.abort()
      abort.abort()
    },
  })
  world.onStopSignal(startDraining)
  // A signer that ends before it is ready has said why; there is nothing to add.
  if (!(await isReady(signer))) return undefined
  const config = decodeFrontConfig(await signer.config)
  const endings = { stop: stop.signal, abort: abort.signal }
  const path = join(config.journalFolder, 'payments.sqlite')
  ensureFolder(world.disk, config.journalFolder)
  const held = new AbortController()
  // A front that is just draining has it for a moment longer than the signer has its ledger.
  const waitMs = Math.min(config.lockWaitMs, 2 * drainMs)
  const working = withLock(world.disk, path, waitMs, () => {
    held.abort()
    return work(world, config, signer, path, endings)
  })
  const report = await Promise.race([working, stoppedBefore(held.signal, stop.signal, config)])
  // Without a signer nothing was finished: that is no clean end.
  if (gone !== undefined) throw gone
  return report
}

async function work(
  world: FrontWorld,
  config: FrontConfig,
  signer: SignerClient,
  path: string,
  endings: Endings,
): Promise<FrontOutcome | undefined> {
  const { vaultId } = await signer.ask({ type: 'status' })
  const { network, runOnce: isOnce, cancel, resign } = config
  const journal = await (world.openJournal ?? openJournal)(path, { vaultId, network }, world.now)
  try {
    const deps = assemble(world, config, signer, journal)
    if (cancel !== null) return { cancelled: await cancelPayment(deps, cancel, endings.abort) }
    if (resign !== null) return { resigned: await resignPayment(deps, resign, endings.abort) }
    if (isOnce) return await runOnce(deps, endings)
    await runDaemon(deps, endings)
    return undefined
  } finally {
    await journal.close()
  }
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

function isReady(signer: SignerClient): Promise<boolean> {
  return signer.ready.then(
    () => true,
    () => false,
  )
}

function assemble(
  world: FrontWorld,
  config: FrontConfig,
  signer: SignerClient,
  journal: Journal,
): DaemonDeps {
  const { http = request, version, sleep, random, findChain, now } = world
  const { apiUrl: baseUrl, apiKey, insecureHttp, approver, network, periodMs } = config
  const { chains, onlyWallets, onlyPayments, chainSettings, nodes } = config
  const common = { version, insecureHttp, http, sleep, random }
  return {
    api: createTatumApi({ ...common, baseUrl, apiKey }),
    nodes: {
      vet: createNode('vet', { ...common, baseUrl: nodes.vet }),
      flow: createNode('flow', { ...common, baseUrl: nodes.flow }),
    },
    // The approver may be http: the original's own examples are, and no key goes there.
    approve: approver ? createApprover({ ...approver, insecureHttp: true }, http) : undefined,
    log: createLog({
      write: world.writeLog,
      now: () => new Date(now()),
      json: config.logAsJson,
      level: 'info',
    }),
    signer,
    askToSign: askInBatches(signer),
    journal,
    now,
    network,
    chainSettings,
    findChain,
    chains,
    onlyWallets: onlyWallets ? new Set(onlyWallets) : undefined,
    onlyPayments: onlyPayments ? new Set(onlyPayments) : undefined,
    periodMs,
    sleep,
  }
}
