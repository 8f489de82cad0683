import { join } from 'node:path'
import { realDisk } from '../../src/base/disk.ts'
import type { Network } from '../../src/base/model.ts'
import { findChain } from '../../src/chains/index.ts'
import { type KeyRoom, openKeyRoom } from '../../src/secret/key-room.ts'
import { keyWallet, mnemonicWallet } from '../../src/signer/wallets.ts'
import type { NewWallet } from '../../src/vault/draft.ts'
import { changeVault, openVault, type Vault, type VaultPlace } from '../../src/vault/vault.ts'
import { secretOf } from './secret.ts'

export const testPassword = 'a password for tests only'

/** A wallet with a known secret and a known id. */
export type TestWallet = {
  readonly id: string
  readonly chain: string
  readonly network: Network
  readonly mnemonic?: string
  /** In the chain's own text. */
  readonly key?: string
}

/** A wallet id that can be told from others at a glance. */
export function idOf(n: number): string {
  return `00000000-0000-4000-8000-${`${n}`.padStart(12, '0')}`
}

export function vaultPlace(folder: string): VaultPlace {
  return { disk: realDisk, path: join(folder, 'wallet.dat'), lockWaitMs: 10_000 }
}

/** Adds wallets to the vault in `folder`, making it when there is none, at the least scrypt cost. */
export async function storeWallets(folder: string, wallets: readonly TestWallet[]): Promise<void> {
  using password = secretOf(testPassword)
  await using room = openKeyRoom()
  await changeVault(
    vaultPlace(folder),
    password,
    async draft => {
      for (const { id, ...wallet } of wallets) {
        const made = await sealable(wallet, room)
        using _secret = made.secret
        using _node = made.node
        draft.add({ ...made, id })
      }
    },
    { create: true, now: Date.now(), cost: { log2N: 14, r: 8, p: 1 } },
  )
}

export function openTestVault(folder: string): Vault {
  using password = secretOf(testPassword)
  return openVault(vaultPlace(folder), password)
}

function sealable(
  { chain: id, network, mnemonic, key }: Omit<TestWallet, 'id'>,
  { publicKey }: KeyRoom,
): Promise<NewWallet> {
  const chain = findChain(id)
  if (chain === undefined) throw new Error(`no chain ${id}`)
  const place = { chain, network, publicKeyOf: publicKey }
  if (mnemonic !== undefined) return mnemonicWallet(place, secretOf(mnemonic))
  return keyWallet(place, secretOf(key ?? ''))
}
