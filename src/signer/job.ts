import { KmsError } from '../base/errors.ts'
import type { Completion, Intent, Network, PendingTx, Signature, Signed } from '../base/model.ts'
import type { Chain, ChainSettings, Own, Prepared } from '../chains/chain.ts'
import type { KeyRoom, SignTask } from '../secret/key-room.ts'
import { verify } from '../secret/sign.ts'
import type { Vault } from '../vault/vault.ts'
import { type BatchClaims, refuseClaims, takeClaims } from './claims.ts'
import type { Ledger, LedgerEntry } from './ledger.ts'
import { type OwnKey, openKeys, ownKeys } from './own-keys.ts'
import type { SpotCheck } from './spot-check.ts'

export type SignerDeps = {
  readonly vault: Vault
  readonly ledger: Ledger
  readonly room: Pick<KeyRoom, 'signAll' | 'publicKey'>
  readonly network: Network
  readonly chainSettings: ChainSettings
  /** See `SignerSettings`. */
  readonly acceptNonces: readonly string[]
  readonly cancel: string | null
  readonly resign: string | null
  readonly findChain: (id: string) => Chain | undefined
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Why memory handed out so far may reach swap; undefined while all of it is locked. */
  readonly lockingFailed: () => string | undefined
}

/** A payment that is ready to be signed. */
export type Job = PaymentToSign & {
  readonly owned: readonly OwnKey[]
  readonly own: Own
  readonly prepared: Prepared
  readonly tasks: readonly SignTask[]
}

export type PaymentToSign = {
  readonly pending: PendingTx
  /** SHA-256 of its serializedTransaction. */
  readonly serializedHash: Uint8Array
}

/** What is under way at the same time. */
export type Workbench = {
  /** No two payments use the same thing. */
  readonly claims: BatchClaims
  /** Wipes the opened keys when all is signed. */
  readonly keys: DisposableStack
}

/** Decodes, decides and opens keys: everything that can stop a payment stops it here. */
export async function prepareJob(
  deps: SignerDeps,
  { pending, serializedHash }: PaymentToSign,
  completion: Completion,
  bench: Workbench,
): Promise<Job> {
  const { network } = deps
  const chain = needChain(deps, pending.chain)
  const owned = await ownKeys(deps, chain, chain.keys(pending))
  const keys = owned.map(({ publicKey }) => publicKey)
  const own: Own = { network, keys, settings: deps.chainSettings }
  const prepared = chain.prepare(pending, own, completion)
  refuseFarExpiry(prepared.intent, deps.now())
  refuseFarStart(prepared.intent, deps.now())
  const { claims, isDated } = prepared
  const claimed = { pendingId: pending.id, chain: chain.id, network, claims, isDated }
  refuseClaims(deps, claimed, bench.claims)
  const tasks = await openKeys(deps, chain, owned, prepared, bench.keys)
  // Last: what a refused payment asks for is left to the others of its batch.
  takeClaims(claimed, bench.claims)
  return { pending, serializedHash, owned, own, prepared, tasks }
}

/** Assembles and reads back; what comes of it may go into the ledger. */
export function sealJob(
  { network, now }: SignerDeps,
  { pending, serializedHash, owned, own, prepared }: Job,
  signatures: readonly Signature[],
  spotCheck: SpotCheck,
): Omit<LedgerEntry, 'facts'> & { readonly facts: Facts } {
  const { txData, txId }: Signed = prepared.seal(signatures)
  const used = new Set(prepared.requests.map(({ key }) => owned[key]?.ref))
  const usedRefs = [...used].filter(ref => ref !== undefined)
  spotCheck(usedRefs, () => verifyAll(prepared, signatures, own))
  const { intent, claims } = prepared
  const facts = factsOf(intent, owned)
  const { id: pendingId, chain } = pending
  const signedAt = now()
  return { pendingId, chain, network, serializedHash, txData, txId, facts, claims, signedAt }
}

type Facts = ReturnType<typeof factsOf>

/** What the ledger keeps beside the bytes. */
export function factsOf(intent: Intent, owned: readonly Pick<OwnKey, 'ref'>[]) {
  return {
    keys: owned.map(({ ref }) => ({ ...ref })),
    kind: intent.kind,
    from: intent.from,
    outputs: intent.outputs.map(output => ({ ...output, amount: output.amount.toString() })),
    fee: intent.fee ? { ...intent.fee, amount: intent.fee.amount.toString() } : null,
  }
}

export function requireAll(signatures: readonly (Signature | null)[]): readonly Signature[] {
  const made = signatures.filter(signature => signature !== null)
  if (made.length === signatures.length) return made
  throw new KmsError('unexpected', 'a key of this payment could not be used')
}

export function verifyAll(
  { requests, givenKeys }: Prepared,
  signatures: readonly Signature[],
  own: Own,
): void {
  requests.forEach((request, i) => {
    const signature = signatures[i]
    const publicKey = own.keys[request.key] ?? givenKeys[request.key - own.keys.length]?.publicKey
    if (!signature || !publicKey || !verify(request, signature, publicKey)) {
      throw new KmsError('unexpected', 'a signature just made does not verify')
    }
  })
}

/** A daemon holds its keys for years: they must not reach a swap device. */
export function refuseUnlockedMemory(reason: string | undefined): void {
  if (reason === undefined) return
  throw new KmsError('memory', `memory for the keys cannot be locked: ${reason}`, {
    hint: 'raise the limit of locked memory (LimitMEMLOCK=, ulimit -l)',
  })
}

export function needChain({ findChain }: Pick<SignerDeps, 'findChain'>, id: string): Chain {
  const chain = findChain(id)
  if (chain === undefined) throw new KmsError('transaction-malformed', 'unknown chain')
  return chain
}

const day = 86_400_000

/** Bytes that stay valid for long can be sent by anybody who has them (DESIGN 6). */
function refuseFarExpiry({ expiry }: Intent, now: number): void {
  if (expiry === undefined || expiry <= now + day) return
  throw new KmsError('transaction-refused', 'the transaction expires more than 24 hours from now')
}

/** Nobody remembers a payment that comes to life months later, and it cannot be called back. */
function refuseFarStart({ notBefore }: Intent, now: number): void {
  if (notBefore === undefined || notBefore <= now + day) return
  throw new KmsError(
    'transaction-refused',
    'no network takes the transaction before more than 24 hours from now',
  )
}
