import { utf8 } from '../../base/bytes.ts'
import { KmsError } from '../../base/errors.ts'
import type { Network, PublicKey } from '../../base/model.ts'
import type { Chain } from '../../chains/chain.ts'
import { findChain } from '../../chains/index.ts'
import { childPrivateKey, deriveAccount, pathOf } from '../../secret/hd.ts'
import type { KeyRoom } from '../../secret/key-room.ts'
import { formatKeyText, parseKeyText } from '../../secret/key-text.ts'
import { type Secret, secretFrom } from '../../secret/secret.ts'
import { needDerivation } from '../../signer/wallets.ts'
import type { SelfCheck } from './check.ts'
import wallets from './wallets.json' with { type: 'json' }

/** A mnemonic or the text of a key, and what the original tatum-kms made of it. */
type SelfWallet = {
  readonly chain: string
  readonly mnemonic?: string
  readonly key?: string
  /** Of a mnemonic: the public side of its account. */
  readonly xpub?: string
  /** Of a mnemonic: its first key. */
  readonly privateKey?: string
  readonly address: string
}

/** One wallet of every chain: derived, written as text, and its address. */
export function walletChecks(room: KeyRoom): readonly SelfCheck[] {
  return (wallets satisfies readonly SelfWallet[]).map((wallet: SelfWallet) => ({
    name: `wallet ${wallet.chain}`,
    source: 'the original tatum-kms',
    expected: told(wallet),
    actual: () => walletAgain(wallet, room),
  }))
}

function told({ xpub, privateKey, address }: Omit<SelfWallet, 'chain'>): string {
  return [xpub, privateKey, address].filter(text => text !== undefined).join(' ')
}

async function walletAgain({ chain: id, mnemonic, key = '' }: SelfWallet, room: KeyRoom) {
  const chain = needChain(id)
  const wallet = { chain, network, room }
  if (mnemonic === undefined) {
    const { secret, publicKey } = await keyOfText(wallet, key)
    secret.wipe()
    return chain.address(publicKey, network)
  }
  const { secret, publicKey, xpub } = await keyOfMnemonic(wallet, mnemonic, 0)
  using privateKey = secret
  using text = await formatKeyText(chain.key, network, privateKey, room.publicKey)
  return told({
    ...(xpub !== undefined && { xpub }),
    privateKey: text.use(bytes => Buffer.from(bytes).toString('latin1')),
    address: chain.address(publicKey, network),
  })
}

const network: Network = 'mainnet'

export type WalletPlace = {
  readonly chain: Chain
  readonly network: Network
  readonly room: KeyRoom
}

/** The caller wipes `secret`. */
export type OpenKey = { readonly secret: Secret; readonly publicKey: PublicKey }

export async function keyOfText(
  { chain, network, room }: WalletPlace,
  text: string,
): Promise<OpenKey> {
  using written = secretFrom(utf8(text))
  const { key, curve, compressed } = await parseKeyText(chain.key, network, written, room.publicKey)
  return { secret: key, publicKey: await room.publicKey(curve, key, compressed) }
}

export async function keyOfMnemonic(
  { chain, network, room }: WalletPlace,
  mnemonic: string,
  index: number,
): Promise<OpenKey & { readonly xpub?: string }> {
  using words = secretFrom(utf8(mnemonic))
  const derivation = needDerivation(chain)
  const path = pathOf(derivation, network)
  const { node, ...rest } = await deriveAccount(words, derivation, network, path, room.publicKey)
  using account = node
  const secret = childPrivateKey(account, { derivation, network, path, ...rest }, index)
  return { ...rest, secret, publicKey: await room.publicKey(chain.key.curve, secret) }
}

export function needChain(id: string): Chain {
  const chain = findChain(id)
  if (chain === undefined) throw new KmsError('unexpected', `there is no chain ${id}`)
  return chain
}
