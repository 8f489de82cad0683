import { resolve } from 'node:path'
import { KmsError } from '../../base/errors.ts'
import { prettyJson } from '../../base/json.ts'
import { findChain } from '../../chains/index.ts'
import { checkWallets, type WalletCounts } from '../../signer/check-wallets.ts'
import { rememberedGeneration } from '../../signer/read-ledger.ts'
import { createBackup, requireBackup, restoreBackup } from '../../vault/backup.ts'
import { openVault, type Vault } from '../../vault/vault.ts'
import type { Action } from '../action.ts'
import type { Context } from '../context.ts'
import { exitStatus } from '../exit.ts'
import { startProgress } from '../progress.ts'

/** `backup create|verify FILE` */
export const backup: Action = async (context, [action, file = '']) => {
  switch (action) {
    case 'create':
      return create(context, resolve(file))
    case 'verify':
      return verify(context, resolve(file))
    default:
      throw new KmsError('usage', 'backup takes create or verify, then a file')
  }
}

/** `restore FILE`: the copy in the vault's place, never silently over a newer one. */
export const restore: Action = async (context, [file = '']) => {
  const { place, terminal } = context
  const source = resolve(file)
  requireBackup(place.disk, source)
  // The password is the copy's: it is there already, even when the vault is lost.
  using password = context.password({ ...place, path: source })
  const force = context.isSet('force')
  const seen = rememberedGeneration(`${place.path}.ledger`)
  const { generation, wallets } = await restoreBackup(place, source, password, { force, seen })
  terminal.answer(prettyJson({ restored: place.path, generation: Number(generation), wallets }))
  return 0
}

async function create({ place, terminal }: Context, target: string): Promise<number> {
  const { generation } = await createBackup(place, target)
  terminal.answer(prettyJson({ backup: target, generation: Number(generation) }))
  terminal.note('backup verify tells whether it opens')
  return 0
}

/** Opens the copy, every secret in it, and derives every public value again. */
async function verify(context: Context, path: string): Promise<number> {
  const place = { ...context.place, path }
  requireBackup(place.disk, path)
  using password = context.password(place)
  using vault = openVault(place, password)
  const { terminal } = context
  const counts = await countWallets(vault, terminal)
  terminal.answer(prettyJson({ generation: Number(vault.generation), ...counts }))
  return counts.different > 0 ? exitStatus['vault-damaged'] : 0
}

async function countWallets(vault: Vault, terminal: Context['terminal']): Promise<WalletCounts> {
  using progress = startProgress(terminal, 'wallets', [...vault.ids()].length)
  return await checkWallets(vault, findChain, { warn: terminal.warn, show: progress.show })
}
