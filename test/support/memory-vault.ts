import type { FileFacts } from '../../src/base/open-file.ts'
import type { ScryptCost } from '../../src/secret/kdf.ts'
import type { Secret } from '../../src/secret/secret.ts'
import type { Draft, NewWallet } from '../../src/vault/draft.ts'
import { changeVault, openVault, type VaultPlace } from '../../src/vault/vault.ts'
import { walletSecret } from '../../src/vault/wallet-secret.ts'
import { type Files, type MemoryDisk, memoryDisk } from './faulty-disk.ts'
import { secretOf } from './secret.ts'

/** The cheapest password cost that a vault may have: 2 MiB and a few milliseconds. */
export const quickCost: ScryptCost = { log2N: 14, r: 1, p: 1 }
export const vaultPath = '/v/wallet.dat'
export const password = secretOf('correct horse')
export const otherPassword = secretOf('battery staple')

const folder: FileFacts = {
  kind: 'folder',
  mode: 0o700,
  uid: 0,
  gid: 0,
  size: 0,
  links: 2,
  identity: 'folder',
}

/** A disk in memory whose one folder is there already. */
export function vaultDisk(files: Files = new Map(), forgets?: 'sync' | 'syncFolder'): MemoryDisk {
  return { ...memoryDisk(files, forgets), lookThrough: () => folder }
}

export function placeOn(disk: VaultPlace['disk']): VaultPlace {
  return { disk, path: vaultPath, lockWaitMs: 0 }
}

/** Where a vault of exactly these bytes lies. */
export function placeOf(file: Uint8Array): VaultPlace {
  return placeOn(vaultDisk(new Map([[vaultPath, file]])))
}

/** True when the bytes are a whole vault that this password opens. */
export function opensWith(file: Uint8Array, key: Secret): boolean {
  try {
    openVault(placeOf(file), key)[Symbol.dispose]()
    return true
  } catch {
    return false
  }
}

export function change<T>(place: VaultPlace, work: (draft: Draft) => T): Promise<T> {
  return changeVault(place, password, work, {
    create: true,
    now: 1_700_000_000_000,
    cost: quickCost,
  })
}

/** A mnemonic wallet with an account node, as far as a vault looks at it. */
export function mnemonicOf(mnemonic: string): NewWallet {
  return {
    chain: 'BTC',
    network: 'mainnet',
    kind: 'mnemonic',
    path: "m/44'/0'/0'/0",
    xpub: `xpub of ${mnemonic}`,
    secret: walletSecret({ mnemonic: secretOf(mnemonic) }),
    node: secretOf(`node of ${mnemonic}`),
  }
}

export function keyOf(keyText: string): NewWallet {
  return {
    chain: 'ETH',
    network: 'testnet',
    kind: 'key',
    address: `address of ${keyText}`,
    publicKey: Buffer.from(`public key of ${keyText}`),
    secret: walletSecret({ keyText: secretOf(keyText) }),
  }
}

/** The bytes of a vault with these mnemonic wallets; a whole one, to be damaged by its tests. */
export async function vaultFileOf(...mnemonics: readonly string[]): Promise<Uint8Array> {
  const disk = vaultDisk()
  await change(placeOn(disk), draft => mnemonics.map(text => draft.add(mnemonicOf(text))))
  const file = disk.files().get(vaultPath)
  if (file === undefined) throw new Error('no vault was written')
  return file
}
