import { asKmsError } from '../base/errors.ts'
import type { SignerClient } from '../signer/client.ts'
import type { Answers } from '../signer/messages.ts'
import { type Cycle, type CycleDeps, type CycleReport, type Endings, runCycle } from './cycle.ts'
import { createMemory, type Memory } from './memory.ts'

export type DaemonDeps = CycleDeps & {
  readonly signer: SignerClient
  /** The chains to poll; those without a wallet are left out each time. */
  readonly chains: readonly string[]
  readonly periodMs: number
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
}

/** How long payments under way may take once the daemon is to end. */
export const drainMs = 20_000

/** Polls until it is told to stop. A chain whose server is slow is left to it; the others go on. */
export async function runDaemon(deps: DaemonDeps, endings: Endings): Promise<void> {
  const memories = rememberPerChain(deps)
  const busy = new Map<string, Promise<void>>()
  const faults: unknown[] = []
  const ending = new AbortController()
  const drained = new AbortController()
  const stop = AbortSignal.any([endings.stop, ending.signal])
  const abort = AbortSignal.any([endings.abort, drained.signal])
  const endWith = (fault: unknown): void => {
    // What comes of being cut off is no fault.
    if (abort.aborted) return
    faults.push(fault)
    ending.abort()
    void deps.sleep(drainMs, abort).then(() => drained.abort())
  }

  while (!stop.aborted) {
    try {
      for (const [chain, walletIds] of await chainsToPoll(deps, memories('')))
        if (!busy.has(chain)) {
          const cycle: Cycle = { chain, walletIds, memory: memories(chain) }
          const done = runCycle(deps, cycle, { stop, abort })
          busy.set(
            chain,
            done.then(() => {}, endWith).finally(() => busy.delete(chain)),
          )
        }
    } catch (fault) {
      endWith(fault)
    }
    await deps.sleep(deps.periodMs, stop)
  }
  await Promise.all(busy.values())
  const [first] = faults
  if (first !== undefined) throw first
}

/** One cycle of each chain, for `--run-once`. */
export async function runOnce(deps: DaemonDeps, endings: Endings): Promise<CycleReport> {
  const memories = rememberPerChain(deps)
  const chains = [...(await chainsToPoll(deps, memories('')))]
  const cycles = chains.map(([chain, walletIds]) =>
    runCycle(deps, { chain, walletIds, memory: memories(chain) }, endings),
  )
  // A fault of one chain does not cut the others off: they have payments under way.
  await Promise.allSettled(cycles)
  const reports = await Promise.all(cycles)
  return {
    sent: reports.reduce((sum, { sent }) => sum + sent, 0),
    failures: [
      // What was not even tried must not look as if nothing had waited.
      ...(endings.stop.aborted ? (['terminated'] as const) : []),
      ...reports.flatMap(({ failures }) => failures),
    ],
  }
}

function rememberPerChain({ periodMs }: DaemonDeps): (chain: string) => Memory {
  const memories = new Map<string, Memory>()
  return chain => {
    const memory = memories.get(chain) ?? createMemory(periodMs)
    memories.set(chain, memory)
    return memory
  }
}

/** The wallet ids to ask Tatum about; a chain without wallets is not polled. */
async function chainsToPoll(
  deps: DaemonDeps,
  memory: Memory,
): Promise<ReadonlyMap<string, readonly string[]>> {
  await reloadVault(deps, memory)
  const byChain = new Map<string, string[]>()
  for (let from: number | null = 0; from !== null; ) {
    const page: Answers['wallets'] = await deps.signer.ask({ type: 'wallets', from })
    for (const { id, chain } of page.wallets) {
      const ids = byChain.get(chain)
      if (ids) ids.push(id)
      else if (deps.chains.includes(chain)) byChain.set(chain, [id])
    }
    from = page.next
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
