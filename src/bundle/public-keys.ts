import { KmsError } from '../base/errors.ts'
import type { KeyRef, Network, PublicKey, WalletId } from '../base/model.ts'
import type { Chain } from '../chains/chain.ts'
import type { SignerClient } from '../signer/client.ts'
import { publicKeyAt, walletFor } from '../signer/keys.ts'
import { nonceOf } from '../signer/ledger-tables.ts'
import { type Answers, encodePublicKey, type Question } from '../signer/messages.ts'
import type { ListedWallet } from './wallet-list.ts'

/** Answers what completion asks a signer, from public data. */
export type PublicSigner = Pick<SignerClient, 'ask'> & {
  /** A payment of the bundle uses these up: the numbers behind them are for the others in it. */
  take(chain: string, claims: readonly string[]): void
}

export function createPublicSigner(
  wallets: ReadonlyMap<WalletId, ListedWallet>,
  network: Network,
  findChain: (id: string) => Chain | undefined,
): PublicSigner {
  const next = new Map<string, bigint>()
  const answer = async (question: Question): Promise<Answers['publicKeys' | 'nextNonce']> => {
    switch (question.type) {
      case 'publicKeys': {
        const chain = findChain(question.chain)
        if (chain === undefined) throw new KmsError('transaction-malformed', 'unknown chain')
        const keys: string[] = []
        for (const ref of question.refs) {
          keys.push(encodePublicKey(await publicKeyOf(wallets, { chain, network, ref })))
        }
        return { keys }
      }
      case 'nextNonce':
        return { next: next.get(`${question.chain}/${question.address}`)?.toString() ?? null }
      default:
        throw new KmsError('unexpected', 'public data do not answer this')
    }
  }
  return {
    // The types of questions and answers go together, which TypeScript can't see in a switch.
    ask: answer as PublicSigner['ask'],
    take(chain, claims) {
      for (const claim of claims) {
        const nonce = nonceOf(claim)
        if (nonce !== undefined) next.set(`${chain}/${nonce.address}`, nonce.number + 1n)
      }
    },
  }
}

type Place = { readonly chain: Chain; readonly network: Network; readonly ref: KeyRef }

async function publicKeyOf(
  wallets: ReadonlyMap<WalletId, ListedWallet>,
  { chain, network, ref }: Place,
): Promise<PublicKey> {
  const vault = { find: (id: WalletId) => wallets.get(id)?.info }
  const wallet = walletFor(vault, chain, network, ref)
  const listed = wallets.get(wallet.id)?.publicKeys.get(ref.index ?? -1)
  if (listed !== undefined && wallet.kind === 'mnemonic') {
    return { curve: chain.key.curve, bytes: listed }
  }
  return await publicKeyAt(chain, withoutSecrets, { wallet, index: ref.index })
}

/** Where only the private node can say it, the list must. */
const withoutSecrets = {
  vault: { reveal: notListed, revealNode: notListed },
  publicKeyOf: notListed,
}

function notListed(): never {
  throw new KmsError(
    'wallet-missing',
    'the list of wallets has no public key of this index: list --public --keys=COUNT lists more',
  )
}
