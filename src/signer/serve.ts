import { createHash } from 'node:crypto'
import { equalBytes, utf8 } from '../base/bytes.ts'
import { asKmsError, KmsError } from '../base/errors.ts'
import type { Json } from '../base/json.ts'
import type { KeyRef, Network, PendingTx, PublicKey, Signature } from '../base/model.ts'
import type { Chain, Own, Prepared } from '../chains/chain.ts'
import { sign, verify } from '../secret/sign.ts'
import { parsePending } from '../tatum/pending.ts'
import type { WalletInfo } from '../vault/records.ts'
import type { Vault } from '../vault/vault.ts'
import type { Ledger, LedgerEntry } from './ledger.ts'
import {
  type Answers,
  decodeQuestion,
  encodePublicKey,
  type Payment,
  type PublicWallet,
  type Question,
  type SignResult,
} from './messages.ts'
import { privateKeyAt, publicKeyAt, walletFor } from './wallets.ts'

export type SignerDeps = {
  readonly vault: Vault
  readonly ledger: Ledger
  readonly network: Network
  readonly findChain: (id: string) => Chain | undefined
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** Wallets per answer: a page of half a million ids would be one enormous frame. */
const pageLength = 20_000
/** Checking every signature again would cost three quarters of the throughput; one in 64 is checked. */
const checkEvery = 64

/** Answers the front's questions with the vault's keys. Trusts nothing in them. */
export function createSigner(deps: SignerDeps): (question: Question) => Answers[Question['type']] {
  const { vault, ledger, network } = deps
  let signatures = 0

  return question => {
    switch (question.type) {
      case 'wallets':
        return pageOfWallets(vault, network, question.from)
      case 'publicKeys': {
        const chain = needChain(deps, question.chain)
        const keys = question.refs.map(ref => ownKey(deps, chain, ref).publicKey)
        return { keys: keys.map(encodePublicKey) }
      }
      case 'nextNonce': {
        const next = ledger.nextNonce(question.chain, network, question.address)
        return { next: next?.toString() ?? null }
      }
      case 'sign':
        return { results: signAll(deps, question.payments, () => signatures++ % checkEvery === 0) }
      case 'reload': {
        const changed = vault.reload()
        if (changed) ledger.checkGeneration(vault.vaultId, vault.generation)
        return { changed }
      }
      case 'status':
        return {
          wallets: [...vault.ids()].length,
          signed: ledger.count(),
          generation: vault.generation.toString(),
        }
    }
  }
}

/** The answer to whatever came over the pipe: no question can end the signer. */
export function answerTo(body: unknown, answer: ReturnType<typeof createSigner>): Json {
  try {
    return { ok: answer(decodeQuestion(body)) }
  } catch (thrown) {
    const { code, message } = asKmsError(thrown)
    return { fault: { code, message } }
  }
}

function pageOfWallets(vault: Vault, network: Network, from: number): Answers['wallets'] {
  const wallets: PublicWallet[] = []
  let position = 0
  for (const { id, chain, network: on } of vault.list()) {
    if (position++ < from || on !== network) continue
    wallets.push({ id, chain })
    if (wallets.length === pageLength) return { wallets, next: position }
  }
  return { wallets, next: null }
}

/** What one payment came to, before the ledger has it. */
type Outcome =
  | { readonly kind: 'new'; readonly entry: LedgerEntry }
  | { readonly kind: 'answered'; readonly result: SignResult }

/**
 * Signs what may be signed, commits all of it at once, and only then answers: no signature leaves
 * this process before the ledger has it on disk. One refused payment does not hold up the others.
 */
function signAll(
  deps: SignerDeps,
  payments: readonly Payment[],
  isChecked: () => boolean,
): readonly SignResult[] {
  const batch: LedgerEntry[] = []
  const outcomes = payments.map((payment): Outcome => {
    try {
      const outcome = signOne(deps, payment, batch, isChecked)
      if (outcome.kind === 'new') batch.push(outcome.entry)
      return outcome
    } catch (thrown) {
      const { code, message } = asKmsError(thrown)
      return { kind: 'answered', result: { kind: 'refused', code, reason: message } }
    }
  })
  deps.ledger.commit(batch)
  return outcomes.map(outcome =>
    outcome.kind === 'answered' ? outcome.result : signedResult(outcome.entry, false),
  )
}

function signOne(
  deps: SignerDeps,
  { pending: sent, completion }: Payment,
  batch: readonly LedgerEntry[],
  isChecked: () => boolean,
): Outcome {
  const pending = parsePending(sent)
  const serializedHash = createHash('sha256').update(utf8(pending.serializedTransaction)).digest()
  const before = batch.find(entry => entry.pendingId === pending.id) ?? deps.ledger.find(pending.id)
  if (before !== undefined) {
    const isSame = before.chain === pending.chain && before.network === deps.network
    if (!isSame || !equalBytes(before.serializedHash, serializedHash)) {
      throw new KmsError(
        'transaction-refused',
        'this pending id was signed before with another transaction',
      )
    }
    return { kind: 'answered', result: signedResult(before, true) }
  }

  const chain = needChain(deps, pending.chain)
  const owned = chain.keys(pending).map(ref => ownKey(deps, chain, ref))
  const own: Own = { network: deps.network, keys: owned.map(({ publicKey }) => publicKey) }
  const prepared = chain.prepare(pending, own, completion)
  refuseTakenClaims(deps, chain, prepared, batch)

  const signatures = signRequests(deps.vault, chain, owned, prepared)
  const signed = prepared.seal(signatures)
  if (isChecked()) verifyAll(prepared, signatures, own)
  return { kind: 'new', entry: entryOf(deps, pending, owned, prepared, signed, serializedHash) }
}

type OwnKey = { readonly ref: KeyRef; readonly wallet: WalletInfo; readonly publicKey: PublicKey }

function ownKey(deps: SignerDeps, chain: Chain, ref: KeyRef): OwnKey {
  const wallet = walletFor(deps.vault, chain, deps.network, ref)
  return { ref, wallet, publicKey: publicKeyAt(chain, wallet, ref.index) }
}

/** A nonce or an output that another payment has is never signed for again (DESIGN 2). */
function refuseTakenClaims(
  { ledger, network }: SignerDeps,
  chain: Chain,
  { claims }: Prepared,
  batch: readonly LedgerEntry[],
): void {
  for (const claim of claims) {
    const owner =
      batch.find(entry => entry.chain === chain.id && entry.claims.includes(claim))?.pendingId ??
      ledger.claimant(chain.id, network, claim)
    if (owner !== undefined) {
      throw new KmsError('transaction-refused', `${claim} is already used by payment ${owner}`)
    }
  }
}

/** Each key is opened once, for the length of this call. */
function signRequests(
  vault: Vault,
  chain: Chain,
  owned: readonly OwnKey[],
  { requests }: Prepared,
): readonly Signature[] {
  using keys = new DisposableStack()
  const opened = new Map<number, ReturnType<typeof privateKeyAt>>()
  return requests.map(request => {
    const owner = owned[request.key]
    if (owner === undefined) throw new KmsError('unexpected', 'a message names a key we lack')
    const key =
      opened.get(request.key) ?? keys.use(privateKeyAt(chain, vault, owner.wallet, owner.ref.index))
    opened.set(request.key, key)
    return key.use(bytes => sign(request, bytes))
  })
}

function verifyAll({ requests }: Prepared, signatures: readonly Signature[], own: Own): void {
  requests.forEach((request, i) => {
    const signature = signatures[i]
    const publicKey = own.keys[request.key]
    if (!signature || !publicKey || !verify(request, signature, publicKey)) {
      throw new KmsError('unexpected', 'a signature just made does not verify')
    }
  })
}

function entryOf(
  { network, now }: SignerDeps,
  pending: PendingTx,
  owned: readonly OwnKey[],
  { intent, claims }: Prepared,
  { txData, txId }: { readonly txData: string; readonly txId: string },
  serializedHash: Uint8Array,
): LedgerEntry {
  const facts = {
    keys: owned.map(({ ref }) => ({ ...ref })),
    kind: intent.kind,
    from: intent.from,
    outputs: intent.outputs.map(output => ({ ...output, amount: output.amount.toString() })),
    fee: intent.fee ? { ...intent.fee, amount: intent.fee.amount.toString() } : null,
  }
  const { id: pendingId, chain } = pending
  const signedAt = now()
  return { pendingId, chain, network, serializedHash, txData, txId, facts, claims, signedAt }
}

function signedResult(
  { txData, txId }: { readonly txData: string; readonly txId: string },
  repeated: boolean,
): SignResult {
  return { kind: 'signed', txData, txId, repeated }
}

function needChain({ findChain }: SignerDeps, id: string): Chain {
  const chain = findChain(id)
  if (chain === undefined) throw new KmsError('transaction-malformed', 'unknown chain')
  return chain
}
