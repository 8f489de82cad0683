import { asKmsError } from '../base/errors.ts'
import type { SignerClient } from '../signer/client.ts'
import type { Answers } from '../signer/messages.ts'
import { startCycle } from './cycle.ts'
import { createMemory, type Memory } from './memory.ts'
import { createRoads } from './roads.ts'
import type { Cycle, CycleDeps, CycleReport, Endings } from './run.ts'

export type DaemonDeps = CycleDeps & {
  readonly signer: SignerClient
  /** The chains to poll; those without a wallet are left out each time. */
  readonly chains: readonly string[]
  /** The wallets to ask Tatum about; undefined for all. */
  readonly onlyWallets?: ReadonlySet<string> | undefined
  readonly periodMs: number
}

/** How long payments under way may take once the daemon is to end. */
export const drainMs = 20_000

/**
 * Polls until it is told to stop. A chain whose server is slow is left to it; the others go on, and so
 * do polls of a chain some of whose payments are slow.
 */
export async function runDaemon(deps: DaemonDeps, endings: Endings): Promise<void> {
  const chains = rememberChains(deps)
  const vaultNews = createMemory(deps.periodMs)
  const polling = new Set<string>()
  const running = new Set<Promise<void>>()
  const faults: unknown[] = []
  const ending = new AbortController()
  const drained = new AbortController()
  const stop = AbortSignal.any([endings.stop, ending.signal])
  const abort = AbortSignal.any([endings.abort, drained.signal])
  const endWith = (fault: unknown): void => {
    // What comes of being cut off is no fault.
    if (abort.aborted || faults.length > 0) return
    faults.push(fault)
    ending.abort()
    void deps.sleep(drainMs, abort).then(() => drained.abort())
  }
  const start = (cycle: Cycle): void => {
    const { dispatched, done } = startCycle(deps, cycle, { stop, abort }, endWith)
    polling.add(cycle.chain)
    void dispatched.then(() => polling.delete(cycle.chain))
    const ended: Promise<void> = done.then(() => {}, endWith)
    running.add(ended)
    void ended.then(() => running.delete(ended))
  }

  while (!stop.aborted) {
    try {
      for (const [chain, walletIds] of await chainsToPoll(deps, vaultNews)) {
        if (!polling.has(chain)) start({ chain, walletIds, ...chains(chain) })
      }
    } catch (fault) {
      endWith(fault)
    }
    await deps.sleep(deps.periodMs, stop)
  }
  await Promise.all(running)
  const [first] = faults
  if (first !== undefined) throw first
}

/** One cycle of each chain, for `--run-once`. */
export async function runOnce(deps: DaemonDeps, endings: Endings): Promise<CycleReport> {
  const chains = rememberChains(deps)
  const toPoll = [...(await chainsToPoll(deps, createMemory(deps.periodMs)))]
  const cycles = toPoll.map(([chain, walletIds]) => {
    const cycle = { chain, walletIds, ...chains(chain) }
    return startCycle(deps, cycle, endings, () => {}).done
  })
  // A fault of one chain does not cut the others off: they have payments under way.
  await Promise.allSettled(cycles)
  const reports = await Promise.all(cycles)
  return {
    sent: reports.reduce((sum, { sent }) => sum + sent, 0),
    uncompleted: reports.reduce((sum, { uncompleted }) => sum + uncompleted, 0),
    failures: [
      // What was not even tried must not look as if nothing had waited.
      ...(endings.stop.aborted ? (['terminated'] as const) : []),
      ...reports.flatMap(({ failures }) => failures),
    ],
  }
}

/** What the cycles of a chain hand on to each other. */
type Kept = Pick<Cycle, 'memory' | 'roads'>

function rememberChains({ periodMs }: DaemonDeps): (chain: string) => Kept {
  const all = new Map<string, Kept>()
  return chain => {
    const kept = all.get(chain) ?? { memory: createMemory(periodMs), roads: createRoads() }
    all.set(chain, kept)
    return kept
  }
}

/**
 * The wallet ids to ask Tatum about. A chain without wallets is not polled, but what has bytes goes
 * out, whatever became of its wallet or of `--chain` since.
 */
async function chainsToPoll(
  deps: DaemonDeps,
  memory: Memory,
): Promise<ReadonlyMap<string, readonly string[]>> {
  await reloadVault(deps, memory)
  const byChain = new Map<string, string[]>()
  const unseen = new Set(deps.onlyWallets)
  for (let from: number | null = 0; from !== null; ) {
    const page: Answers['wallets'] = await deps.signer.ask({ type: 'wallets', from })
    for (const { id, chain } of page.wallets) {
      if (!(deps.onlyWallets?.has(id) ?? true)) continue
      unseen.delete(id)
      const ids = byChain.get(chain)
      if (ids) ids.push(id)
      else if (deps.chains.includes(chain)) byChain.set(chain, [id])
    }
    from = page.next
  }
  for (const chain of await deps.journal.unsentChains()) {
    if (!byChain.has(chain)) byChain.set(chain, [])
  }
  for (const id of deps.onlyWallets ?? []) {
    const news = memory.tell(id, unseen.has(id) ? 'unseen' : undefined)
    if (news && unseen.has(id)) deps.log.warning('wallet not in the vault', { id })
  }
  return byChain
}

/**
 * A vault under another password, or an older one, ends the daemon: somebody was shut out. One that
 * cannot be read for the moment does not: what is held stays in use.
 */
async function reloadVault({ signer, log }: DaemonDeps, memory: Memory): Promise<void> {
  try {
    const { changed } = await signer.ask({ type: 'reload' })
    if (changed) log.info('vault reloaded')
    memory.tell('the vault', undefined)
  } catch (thrown) {
    const { code, message: reason } = asKmsError(thrown)
    const isTransient = code === 'disk' || code === 'vault-missing' || code === 'vault-busy'
    if (!isTransient) throw thrown
    if (memory.tell('the vault', code)) log.warning('vault not reloaded', { reason })
  }
}
