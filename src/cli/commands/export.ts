import { encodeJson } from '../../base/json.ts'
import { findChain } from '../../chains/index.ts'
import type { Action } from '../action.ts'
import { openWithPassword } from '../open-vault.ts'
import { join, secretJson } from '../secret-json.ts'
import { storedMembers } from '../wallet-json.ts'

/** `export`: every wallet with its secrets, newest first, one opened at a time. */
export const exportWallets: Action = async context => {
  const { terminal } = context
  using vault = openWithPassword(context)
  const wallets = [...vault.list()].reverse()
  wallets.forEach((info, i) => {
    using secret = vault.reveal(info.id)
    using json = secretJson(storedMembers(findChain(info.chain), info, secret), 2)
    const lead = `${i === 0 ? '{' : ','}\n  ${encodeJson(info.id)}: `
    using piece = join([lead, json], 'as they are')
    terminal.answerSecret(piece)
  })
  terminal.answer(wallets.length === 0 ? '{}' : '\n}')
  return 0
}
