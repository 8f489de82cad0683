import { openKeyRoom } from '../../secret/key-room.ts'
import { generateMnemonic } from '../../secret/mnemonic.ts'
import { mnemonicWallet } from '../../signer/wallets.ts'
import type { Action } from '../action.ts'
import { chainArgument } from '../chain-argument.ts'
import { join, secretJson } from '../secret-json.ts'
import { walletMembers } from '../wallet-json.ts'

/** `generatewallet CHAIN`: a new wallet on stdout, nowhere else. */
export const generateWallet: Action = async ({ terminal, network }, [chainId]) => {
  const chain = chainArgument(chainId)
  await using room = openKeyRoom()
  const wallet = await mnemonicWallet(chain, network, generateMnemonic(), room.publicKey)
  using _secret = wallet.secret
  using _node = wallet.node
  using json = secretJson(walletMembers(chain, wallet))
  using line = join([json, '\n'], 'as they are')
  terminal.answerSecret(line)
  return 0
}
