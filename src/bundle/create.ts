import { asKmsError, type ErrorCode, KmsError } from '../base/errors.ts'
import type { Network } from '../base/model.ts'
import type { Chain, ChainSettings, Prepared } from '../chains/chain.ts'
import { completePayment, reviewEntry } from '../daemon/payment.ts'
import type { ReadsDeps, Warning } from '../daemon/reads.ts'
import type { TatumApi } from '../tatum/api.ts'
import { pendingId } from '../tatum/pending.ts'
import {
  maxBundleBytes,
  maxPayments,
  sizeOf,
  type UnsignedBundle,
  type UnsignedPayment,
} from './format.ts'
import { createPublicSigner, type PublicSigner } from './public-keys.ts'
import type { WalletList } from './wallet-list.ts'

export type CreateDeps = Pick<ReadsDeps, 'nodes' | 'sleep'> & {
  readonly api: Pick<TatumApi, 'pending' | 'get' | 'post' | 'rpc'>
  readonly network: Network
  readonly chainSettings: ChainSettings
  readonly findChain: (id: string) => Chain | undefined
  readonly now: () => number
}

export type LeftOut = {
  /** Null where it is a chain that could not be polled. */
  readonly id: string | null
  readonly chain: string
  readonly code: ErrorCode
  readonly reason: string
}

export type Created = {
  readonly bundle: UnsignedBundle
  readonly leftOut: readonly LeftOut[]
  readonly warnings: readonly (Warning & { readonly id: string })[]
}

/** Fetches what waits for these wallets, and completes it as far as public data go. */
export async function createBundle(
  deps: CreateDeps,
  { vaultId, wallets }: WalletList,
  signal: AbortSignal,
): Promise<Created> {
  const { network, findChain, now } = deps
  const known = wallets.filter(({ info }) => info.network === network && findChain(info.chain))
  if (known.length === 0) {
    throw new KmsError('usage', `the list has no wallet of ${network}`, {
      hint: '--testnet is for those of test networks',
    })
  }
  const byId = new Map(known.map(wallet => [wallet.info.id, wallet]))
  const signer = createPublicSigner(byId, network, findChain)
  const payments: UnsignedPayment[] = []
  const leftOut: LeftOut[] = []
  const warnings: (Warning & { readonly id: string })[] = []
  let size = headBytes
  for (const [chain, ids] of idsByChain(known)) {
    for (const { id, sent } of await poll(deps, chain, ids, leftOut, signal)) {
      try {
        const completed = await complete({ ...deps, signer }, chain, sent, signal)
        size += sizeOf(completed.payment)
        if (size > maxBundleBytes || payments.length === maxPayments) throw full()
        signer.take(chain, completed.claims)
        payments.push(completed.payment)
        warnings.push(...completed.warnings.map(warning => ({ ...warning, id })))
      } catch (thrown) {
        leftOut.push({ id, chain, ...faultOf(thrown) })
      }
    }
  }
  const madeAt = new Date(now()).toISOString()
  return { bundle: { vaultId, network, madeAt, payments }, leftOut, warnings }
}

const headBytes = 1_000

function idsByChain(wallets: WalletList['wallets']): ReadonlyMap<string, readonly string[]> {
  const chains = Map.groupBy(wallets, ({ info }) => info.chain)
  return new Map([...chains].map(([chain, of]) => [chain, of.map(({ info }) => info.id)]))
}

type Listed = { readonly id: string; readonly sent: unknown }

/** A chain that can't be polled holds up no other; a key that is refused is for all of them. */
async function poll(
  { api }: CreateDeps,
  chain: string,
  ids: readonly string[],
  leftOut: LeftOut[],
  signal: AbortSignal,
): Promise<readonly Listed[]> {
  try {
    const listed = new Map<string, unknown>()
    for (const sent of await api.pending(chain, ids, signal)) {
      const id = pendingId(sent)
      // Of wallets in two requests it comes twice.
      if (id !== undefined && !listed.has(id)) listed.set(id, sent)
    }
    return [...listed].map(([id, sent]) => ({ id, sent }))
  } catch (thrown) {
    if (asKmsError(thrown).code === 'api-key-refused') throw thrown
    leftOut.push({ id: null, chain, ...faultOf(thrown) })
    return []
  }
}

type Completed = {
  readonly payment: UnsignedPayment
  readonly claims: readonly string[]
  readonly warnings: readonly Warning[]
}

async function complete(
  deps: CreateDeps & { readonly signer: PublicSigner },
  chainId: string,
  sent: unknown,
  signal: AbortSignal,
): Promise<Completed> {
  const reviewed = await reviewEntry(deps, chainId, sent)
  const { chain, pending, own } = reviewed
  const reads = { ...deps, journal: withoutNumbers }
  const { completion, warnings } = await completePayment(reads, reviewed, signal)
  const prepared = chain.prepare(pending, own, completion)
  refuseShortLived(chain, prepared, deps.now())
  return { payment: { pending: sent, completion }, claims: prepared.claims, warnings }
}

const withoutNumbers = { nextNumber: async () => undefined }

/** What it takes to carry a bundle there and back, with a person in between. */
const shortestMinutes = 15

function refuseShortLived(
  { id }: Pick<Chain, 'id'>,
  { intent, lifetimeMs = Number.POSITIVE_INFINITY }: Prepared,
  now: number,
): void {
  const untilExpiry = (intent.expiry ?? Number.POSITIVE_INFINITY) - now
  const left = Math.min(lifetimeMs, untilExpiry)
  if (left >= shortestMinutes * 60_000) return
  const lasts = Math.max(0, Math.round(left / 1_000))
  throw new KmsError(
    'transaction-refused',
    `the network takes this transaction of ${id} for ${lasts} seconds at most: a bundle needs ` +
      `${shortestMinutes} minutes`,
  )
}

function full(): KmsError {
  return new KmsError('too-early', 'the bundle is full: this payment is for the next one')
}

function faultOf(thrown: unknown): Pick<LeftOut, 'code' | 'reason'> {
  const { code, message: reason } = asKmsError(thrown)
  return { code, reason }
}
