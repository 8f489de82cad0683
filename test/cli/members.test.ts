import { expect, test } from 'bun:test'
import { chains } from '../../src/chains/index.ts'
import { publicFacts, storedMembers, walletMembers } from '../../src/cli/wallet-json.ts'
import { newWallet } from '../../src/signer/wallets.ts'
import type { WalletInfo } from '../../src/vault/records.ts'
import { publicKeyHere } from '../support/secret.ts'
import recorded from '../vectors/wallets.json'
import random from '../vectors/wallets-random-samples.json'

type Recorded = { readonly chain: string; readonly wallet: object }

/** The members of a wallet of `chain` as the original printed them, in its order. */
function membersOf(chain: string): readonly string[] {
  const made: readonly Recorded[] = recorded
  const wallets = [
    ...made.filter(entry => entry.chain === chain).map(({ wallet }) => wallet),
    ...random.samples
      .filter(entry => entry.chain === chain)
      .flatMap((entry): readonly object[] => entry.samples),
  ]
  const printed = wallets.map(wallet => Object.keys(wallet))
  return printed.find(names => !names.includes('error')) ?? []
}

test.each(chains.map(chain => [chain.id, chain] as const))(
  'a wallet of %s is printed with the members of the original, in its order',
  async (_, chain) => {
    const wanted = membersOf(chain.id)
    expect(wanted.length).toBeGreaterThan(0)
    const wallet = await newWallet({ chain, network: 'mainnet', publicKeyOf: publicKeyHere })
    using secret = wallet.secret
    using _node = wallet.node
    expect(namesOf(walletMembers(chain, wallet))).toEqual(wanted)

    const info: WalletInfo = { ...wallet, id: 'an id', createdAt: 0 }
    expect(namesOf(storedMembers(chain, info, secret))).toEqual([...wanted, 'chain', 'testnet'])
    const shown = wanted.includes('address') ? 'address' : 'xpub'
    expect(Object.keys(publicFacts(info, chain))).toEqual([
      'signatureId',
      ...(wanted.includes(shown) ? [shown] : []),
    ])
  },
)

/** Of what is printed: a member that has no value is left out. */
function namesOf(members: ReturnType<typeof walletMembers>): readonly string[] {
  return members.filter(([, value]) => value !== undefined).map(([name]) => name)
}
