import { prettyJson } from '../../base/json.ts'
import type { Chain } from '../../chains/chain.ts'
import { openKeyRoom } from '../../secret/key-room.ts'
import { checkMnemonic } from '../../secret/mnemonic.ts'
import type { Secret } from '../../secret/secret.ts'
import { keyWallet, mnemonicWallet, newWallet, type WalletPlace } from '../../signer/wallets.ts'
import type { NewWallet } from '../../vault/draft.ts'
import type { WalletInfo } from '../../vault/records.ts'
import { changeVault } from '../../vault/vault.ts'
import type { Action } from '../action.ts'
import { chainArgument } from '../chain-argument.ts'
import type { Context } from '../context.ts'
import { publicFacts } from '../wallet-json.ts'

/** `generatemanagedwallet CHAIN` */
export const generateManagedWallet: Action = async (context, [chainId]) => {
  const chain = chainArgument(chainId)
  using password = context.password()
  const info = await storeNew(context, chain, newWallet, () => password)
  context.terminal.answer(prettyJson(publicFacts(info, chain)))
  return 0
}

/** `storemanagedwallet CHAIN`: the password is asked for first, then the mnemonic, as the original. */
export const storeManagedWallet: Action = async (context, [chainId]) => {
  const chain = chainArgument(chainId)
  using password = context.password()
  using given = context.askSecret('Mnemonic to store')
  const make = (place: WalletPlace) => mnemonicWallet(place, checkMnemonic(given))
  const info = await storeNew(context, chain, make, () => password)
  context.terminal.answer(prettyJson(publicFacts(info, chain)))
  return 0
}

/** `storemanagedprivatekey CHAIN`: the key is asked for first, then the password, as the original. */
export const storeManagedPrivateKey: Action = async (context, [chainId]) => {
  const chain = chainArgument(chainId)
  const keyText = context.askSecret('Private key to store')
  const make = (place: WalletPlace) => keyWallet(place, keyText)
  const { id } = await storeNew(context, chain, make, context.password)
  context.terminal.answer(prettyJson({ signatureId: id }))
  return 0
}

/** Puts a wallet into the vault, making one when there is none. */
async function storeNew(
  { place, network, now, cost, text }: Context,
  chain: Chain,
  make: (place: WalletPlace) => Promise<NewWallet>,
  askPassword: () => Secret,
): Promise<WalletInfo> {
  await using room = openKeyRoom()
  const style = text('path-style')
  const wallet = await make({
    chain,
    network,
    publicKeyOf: room.publicKey,
    ...(style !== undefined && { style }),
  })
  using _secret = wallet.secret
  using _node = wallet.node
  // Copies of the key are overwritten while scrypt runs beside it.
  const emptied = room.empty()
  using password = askPassword()
  const settings = { create: true, now: now(), cost }
  const info = await changeVault(place, password, draft => draft.add(wallet), settings)
  await emptied
  return info
}
