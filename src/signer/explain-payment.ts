import { asKmsError, type KmsError } from '../base/errors.ts'
import type { Intent, Network, PendingTx } from '../base/model.ts'
import type { Chain, ChainSettings, Own } from '../chains/chain.ts'
import type { Judged } from '../guard/policy.ts'
import type { Judgement } from '../guard/policy-judge.ts'
import type { KeyRoom } from '../secret/key-room.ts'
import { parsePending, pendingId } from '../tatum/pending.ts'
import type { Vault } from '../vault/vault.ts'
import { judgedOf, needChain } from './job.ts'
import { type OwnKey, ownKeys } from './own-keys.ts'

/** A pending transaction, what it does and what a policy says of it; or why it cannot be read. */
export type Explained =
  | {
      readonly id: string
      readonly chain: string
      readonly intent: Intent
      readonly judgement: Judgement
    }
  | { readonly id: string | undefined; readonly fault: KmsError }

export type ExplainDeps = {
  readonly vault: Vault
  readonly room: Pick<KeyRoom, 'publicKey'>
  readonly network: Network
  readonly chainSettings: ChainSettings
  readonly findChain: (id: string) => Chain | undefined
  readonly judge: (payment: Judged) => Judgement
}

/** Decodes one as the signer does. What the front would add to it is missing, its fee for one. */
export async function explainPayment(deps: ExplainDeps, sent: unknown): Promise<Explained> {
  try {
    const pending = parsePending(sent)
    const { chain, owned, own } = await openPayment(deps, deps.chainSettings, pending)
    const intent = chain.review(pending, own)
    const judgement = deps.judge(judgedOf(chain, owned, intent))
    return { id: pending.id, chain: chain.id, intent, judgement }
  } catch (thrown) {
    return { id: pendingId(sent), fault: asKmsError(thrown) }
  }
}

/** The chain of a payment and the keys that it names. */
export async function openPayment(
  deps: Omit<ExplainDeps, 'chainSettings' | 'judge'>,
  settings: ChainSettings,
  pending: PendingTx,
): Promise<{ readonly chain: Chain; readonly owned: readonly OwnKey[]; readonly own: Own }> {
  const { network } = deps
  const chain = needChain(deps, pending.chain)
  const owned = await ownKeys(deps, chain, chain.keys(pending))
  const keys = owned.map(({ publicKey }) => publicKey)
  return { chain, owned, own: { network, keys, settings } }
}
