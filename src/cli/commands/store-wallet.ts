import { prettyJson } from '../../base/json.ts'
import { openKeyRoom } from '../../secret/key-room.ts'
import { checkMnemonic, generateMnemonic } from '../../secret/mnemonic.ts'
import type { Secret } from '../../secret/secret.ts'
import { keyWallet, mnemonicWallet } from '../../signer/wallets.ts'
import type { WalletInfo } from '../../vault/records.ts'
import { changeVault, type NewWallet } from '../../vault/vault.ts'
import type { Action } from '../action.ts'
import { chainArgument } from '../chain-argument.ts'
import type { Context } from '../context.ts'

/** `generatemanagedwallet CHAIN` */
export const generateManagedWallet: Action = async (context, [chainId]) => {
  const chain = chainArgument(chainId)
  using password = context.password()
  await using room = openKeyRoom()
  const wallet = await mnemonicWallet(chain, context.network, generateMnemonic(), room.publicKey)
  const { id, xpub } = await store(context, password, wallet)
  context.terminal.answer(prettyJson({ signatureId: id, xpub }))
  return 0
}

/** `storemanagedwallet CHAIN`: the password is asked for first, then the mnemonic, as the original. */
export const storeManagedWallet: Action = async (context, [chainId]) => {
  const chain = chainArgument(chainId)
  using password = context.password()
  using given = context.askSecret('Mnemonic to store')
  await using room = openKeyRoom()
  const mnemonic = checkMnemonic(given)
  const wallet = await mnemonicWallet(chain, context.network, mnemonic, room.publicKey)
  const { id, xpub } = await store(context, password, wallet)
  context.terminal.answer(prettyJson({ signatureId: id, xpub }))
  return 0
}

/** `storemanagedprivatekey CHAIN`: the key is asked for first, then the password, as the original. */
export const storeManagedPrivateKey: Action = async (context, [chainId]) => {
  const chain = chainArgument(chainId)
  const keyText = context.askSecret('Private key to store')
  await using room = openKeyRoom()
  const wallet = await keyWallet(chain, context.network, keyText, room.publicKey)
  using _secret = wallet.secret
  using password = context.password()
  const { id } = await store(context, password, wallet)
  context.terminal.answer(prettyJson({ signatureId: id }))
  return 0
}

/** Puts the wallet into the vault, making one when there is none, and wipes its secrets. */
async function store(
  { place, now, cost }: Context,
  password: Secret,
  wallet: NewWallet,
): Promise<WalletInfo> {
  using _secret = wallet.secret
  using _node = wallet.node
  return await changeVault(place, password, draft => draft.add(wallet), {
    create: true,
    now: now(),
    cost,
  })
}
