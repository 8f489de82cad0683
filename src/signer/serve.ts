import { asKmsError, KmsError } from '../base/errors.ts'
import type { Json } from '../base/json.ts'
import type { Network } from '../base/model.ts'
import { processUsage } from '../base/usage.ts'
import type { Vault } from '../vault/vault.ts'
import { cancelPayment, findCancellation } from './cancel.ts'
import { needChain, type SignerDeps } from './job.ts'
import {
  type Answers,
  decodeQuestion,
  encodePublicKey,
  type PublicWallet,
  type Question,
} from './messages.ts'
import { ownKeys } from './own-keys.ts'
import { createResigner, findResignation } from './resign.ts'
import { denyPayment, reviewAll } from './review.ts'
import { signBatch } from './sign-batch.ts'
import { createSpotCheck } from './spot-check.ts'
import { lookUp } from './stored-payments.ts'

/** Wallets per answer: a page of half a million ids would be one enormous frame. */
const pageLength = 20_000

/** Answers the front's questions with the vault's keys. Trusts nothing in them. */
export function createSigner(deps: SignerDeps): Signer {
  const { vault, ledger, network } = deps
  const spotCheck = createSpotCheck()
  const resign = createResigner(deps)
  const reload = createReloader(deps)
  let signing: Promise<unknown> = Promise.resolve()
  /** One batch after the other: what one has taken must be in the ledger before the next looks. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = signing.then(work)
    signing = done.catch(() => {})
    return done
  }

  return async question => {
    switch (question.type) {
      case 'wallets':
        return pageOfWallets(vault, network, question.from)
      case 'publicKeys': {
        const chain = needChain(deps, question.chain)
        const keys = await ownKeys(deps, chain, question.refs)
        return { keys: keys.map(({ publicKey }) => encodePublicKey(publicKey)) }
      }
      case 'nextNonce': {
        const next = ledger.nextNonce(question.chain, network, question.address)
        return { next: next?.toString() ?? null }
      }
      case 'signed':
        return { results: lookUp(deps, question.payments) }
      case 'cancellation':
        return findCancellation(deps)
      case 'cancel':
        return inTurn(() => cancelPayment(deps, question.price))
      case 'resignation':
        return findResignation(deps)
      case 'resign':
        return inTurn(() => resign(question.payment, question.expired))
      case 'review':
        return { results: await reviewAll(deps, question.pending) }
      case 'deny':
        return inTurn(() => denyPayment(deps, question))
      case 'claims':
        return { claims: ledger.claims(question.pendingId) }
      case 'sign':
        refuseOtherWork(deps)
        return { results: await inTurn(() => signBatch(deps, question.payments, spotCheck)) }
      case 'reload':
        return { changed: reload() }
      case 'probe': {
        ledger.probe()
        return {}
      }
      case 'status':
        return {
          vaultId: vault.vaultId,
          wallets: [...vault.ids()].length,
          signed: ledger.count(),
          commits: ledger.commits(),
          generation: vault.generation.toString(),
          usage: processUsage(),
        }
      // What it is good for is seen in heartbeat.ts.
      case 'progress':
        return {}
    }
  }
}

/** Answers one question. */
export type Signer = (question: Question) => Promise<Answers[Question['type']]>

/** The answer to whatever came over the pipe: no question can end the signer. */
export async function answerTo(body: unknown, answer: Signer): Promise<Json> {
  try {
    return { ok: await answer(decodeQuestion(body)) }
  } catch (thrown) {
    const { code, message } = asKmsError(thrown)
    return { fault: { code, message } }
  }
}

/**
 * Reads the vault again where it was replaced. That it has changed is said until the ledger knows it
 * too: the first time that this succeeds may not be the one in which the vault was read.
 */
function createReloader({ vault, ledger }: SignerDeps): () => boolean {
  let isUnsaid = false
  return () => {
    if (vault.reload()) isUnsaid = true
    ledger.checkGeneration(vault.generation)
    const changed = isUnsaid
    isUnsaid = false
    return changed
  }
}

/** A signer that a person gave an order about one payment signs nothing else. */
function refuseOtherWork({ cancel, resign }: SignerDeps): void {
  if (cancel === null && resign === null) return
  const order = cancel === null ? 'sign a payment anew' : 'cancel a payment'
  throw new KmsError('transaction-refused', `this signer was started to ${order}`)
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
