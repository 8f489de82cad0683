import { openKeyRoom } from '../../secret/key-room.ts'
import { newWallet } from '../../signer/wallets.ts'
import type { Action } from '../action.ts'
import { chainArgument } from '../chain-argument.ts'
import { answerSecretJson } from '../secret-json.ts'
import { walletMembers } from '../wallet-json.ts'

/** `generatewallet CHAIN`: a new wallet on stdout, nowhere else. */
export const generateWallet: Action = async ({ terminal, network, text }, [chainId]) => {
  const chain = chainArgument(chainId)
  await using room = openKeyRoom()
  const style = text('path-style')
  const wallet = await newWallet({
    chain,
    network,
    publicKeyOf: room.publicKey,
    ...(style !== undefined && { style }),
  })
  using _secret = wallet.secret
  using _node = wallet.node
  await room.empty()
  answerSecretJson(terminal, walletMembers(chain, wallet))
  return 0
}
