import { asKmsError, type ErrorCode } from '../base/errors.ts'
import type { Chain } from '../chains/chain.ts'
import type { SignerClient } from '../signer/client.ts'
import type { Answers } from '../signer/messages.ts'
import type { EventLog } from './events.ts'
import type { Journal } from './journal.ts'
import { createMemory, type Memory } from './memory.ts'

type WatchDeps = {
  readonly signer: Pick<SignerClient, 'ask'>
  readonly journal: Pick<Journal, 'unsentChains'>
  readonly log: Pick<EventLog, 'info' | 'warning'>
  readonly chains: readonly string[]
  readonly findChain: (id: string) => Chain | undefined
  readonly onlyWallets?: ReadonlySet<string> | undefined
  readonly periodMs: number
}

type IdsByChain = ReadonlyMap<string, readonly string[]>

/**
 * Answers the wallet ids to ask Tatum about, which are asked of the signer when the vault has changed. A
 * chain without wallets is not polled, but what has bytes goes out, whatever became of its wallet or
 * of `--chain` since.
 */
export function watchWallets(deps: WatchDeps): () => Promise<IdsByChain> {
  const memory = createMemory(deps.periodMs)
  let known: IdsByChain | undefined
  return async () => {
    if (await reloadVault(deps, memory)) known = undefined
    known ??= await readWallets(deps, memory)
    const byChain = new Map(known)
    for (const chain of await deps.journal.unsentChains()) {
      // A database may be somebody else's machine, or that of a newer program.
      if (deps.findChain(chain) !== undefined && !byChain.has(chain)) byChain.set(chain, [])
    }
    return byChain
  }
}

async function readWallets(
  { signer, log, chains, onlyWallets }: WatchDeps,
  memory: Memory,
): Promise<IdsByChain> {
  const byChain = new Map<string, string[]>()
  const unseen = new Set(onlyWallets)
  for (let from: number | null = 0; from !== null; ) {
    const page: Answers['wallets'] = await signer.ask({ type: 'wallets', from })
    for (const { id, chain } of page.wallets) {
      if (!(onlyWallets?.has(id) ?? true)) continue
      unseen.delete(id)
      const ids = byChain.get(chain)
      if (ids) ids.push(id)
      else if (chains.includes(chain)) byChain.set(chain, [id])
    }
    from = page.next
  }
  for (const id of onlyWallets ?? []) {
    const news = memory.tell(id, unseen.has(id) ? 'unseen' : undefined)
    if (news && unseen.has(id)) log.warning('wallet not in the vault', { id })
  }
  return byChain
}

/**
 * A vault under another password, or an older one, ends the daemon: somebody was shut out. One that
 * cannot be read for the moment does not: what is held stays in use.
 *
 * @returns whether it may have changed
 */
async function reloadVault({ signer, log }: WatchDeps, memory: Memory): Promise<boolean> {
  try {
    const { changed } = await signer.ask({ type: 'reload' })
    if (changed) log.info('vault reloaded')
    memory.tell('the vault', undefined)
    return changed
  } catch (thrown) {
    const { code, message: reason } = asKmsError(thrown)
    if (!isForTheMoment.has(code)) throw thrown
    if (memory.tell('the vault', code)) log.warning('vault not reloaded', { reason })
    // The signer may have the new vault already, and a ledger that failed: it would not say so again.
    return true
  }
}

/** What is not read is not used: wrong permissions, too, only keep the vault that is held. */
const isForTheMoment: ReadonlySet<ErrorCode> = new Set([
  'disk',
  'vault-missing',
  'vault-busy',
  'unsafe-permissions',
])
