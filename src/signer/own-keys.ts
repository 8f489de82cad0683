import { KmsError } from '../base/errors.ts'
import type { KeyRef, Network, PublicKey } from '../base/model.ts'
import type { Chain, Prepared } from '../chains/chain.ts'
import type { KeyRoom, SignTask } from '../secret/key-room.ts'
import { type Secret, secretFrom } from '../secret/secret.ts'
import type { WalletInfo } from '../vault/records.ts'
import type { Vault } from '../vault/vault.ts'
import { privateKeyAt, publicKeyAt, walletFor } from './keys.ts'

type KeyDeps = { readonly vault: Vault; readonly room: Pick<KeyRoom, 'publicKey'> }

/** A key that a payment names, and the wallet it belongs to. */
export type OwnKey = {
  readonly ref: KeyRef
  readonly wallet: WalletInfo
  readonly publicKey: PublicKey
}

/** A payment of 100 kB, the most a node relays, has fewer inputs. */
const maxKeysPerPayment = 2_500

/** The public keys of wallets that a payment of `chain` may use. */
export async function ownKeys(
  { vault, network, room }: KeyDeps & { readonly network: Network },
  chain: Chain,
  refs: readonly KeyRef[],
): Promise<readonly OwnKey[]> {
  if (refs.length > maxKeysPerPayment) {
    throw new KmsError(
      'transaction-refused',
      `a payment with ${refs.length} keys is not signed, the most is ${maxKeysPerPayment}`,
    )
  }
  const source = { vault, publicKeyOf: room.publicKey }
  const owned: OwnKey[] = []
  for (const ref of refs) {
    const wallet = walletFor(vault, chain, network, ref)
    const publicKey = await publicKeyAt(chain, source, { wallet, index: ref.index })
    owned.push({ ref, wallet, publicKey })
  }
  return owned
}

/** Keys that are open until all of a batch is signed: each once, however many payments it pays. */
export type OpenedKeys = Disposable & {
  /** The key of this name, which `open` opens when nobody has so far. */
  take(name: string, open: () => Promise<Secret>): Promise<Secret>
  /** A key that nobody else can name. */
  keep(key: Secret): Secret
}

export function holdKeys(): OpenedKeys {
  const opened = new DisposableStack()
  const byName = new Map<string, Secret>()
  return {
    async take(name, open) {
      const key = byName.get(name) ?? opened.use(await open())
      byName.set(name, key)
      return key
    },
    keep: key => opened.use(key),
    [Symbol.dispose]: () => opened.dispose(),
  }
}

/** One task per message. */
export async function openKeys(
  { vault, room }: KeyDeps,
  chain: Chain,
  owned: readonly OwnKey[],
  { requests, givenKeys }: Prepared,
  keys: OpenedKeys,
): Promise<readonly SignTask[]> {
  const source = { vault, publicKeyOf: room.publicKey }
  const open = async (at: number): Promise<Secret> => {
    const given = givenKeys[at - owned.length]
    if (given !== undefined) return keys.keep(secretFrom(given.privateKey.slice()))
    const owner = owned[at]
    if (owner === undefined) throw new KmsError('unexpected', 'a message names a key we lack')
    const { wallet, ref } = owner
    return keys.take(`${wallet.id}/${ref.index}`, () =>
      privateKeyAt(chain, source, { wallet, index: ref.index }),
    )
  }
  const opened = new Map<number, Secret>()
  const tasks: SignTask[] = []
  for (const request of requests) {
    const key = opened.get(request.key) ?? (await open(request.key))
    opened.set(request.key, key)
    tasks.push({ key, request })
  }
  return tasks
}
