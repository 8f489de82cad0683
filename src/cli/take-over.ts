import { equalBytes } from '../base/bytes.ts'
import { asKmsError, KmsError } from '../base/errors.ts'
import type { Network, WalletId } from '../base/model.ts'
import { findChain } from '../chains/index.ts'
import { childPublicKey, type PublicKeyOf } from '../secret/hd.ts'
import { maxSecretLength } from '../secret/input.ts'
import type { ScryptCost } from '../secret/kdf.ts'
import { openKeyRoom } from '../secret/key-room.ts'
import { checkMnemonic } from '../secret/mnemonic.ts'
import type { Secret } from '../secret/secret.ts'
import { keyWallet, mnemonicWallet, publicKeyOfText, type WalletPlace } from '../signer/wallets.ts'
import type { Draft, NewWallet } from '../vault/draft.ts'
import type { Original } from '../vault/original.ts'
import type { OriginalEntry } from '../vault/original-entry.ts'
import type { WalletInfo } from '../vault/records.ts'
import { changeVault, openVault, type Vault, type VaultPlace } from '../vault/vault.ts'
import { type WalletSecret, walletSecret } from '../vault/wallet-secret.ts'

/** What became of the wallets of an old file. */
export type Tally = {
  readonly migrated: number
  /** In the vault before: same id, chain, network and secret. */
  readonly alreadyThere: number
  readonly notTaken: number
}

type Listener = {
  /** Hears what a person should know; never a secret. */
  warn(text: string): void
  /** Hears how many entries of the old file were looked at. */
  show(done: number): void
}

/**
 * Brings the wallets of an original's file into the vault, all in one write, then opens the vault
 * again and compares every secret with the old file's.
 */
export async function takeOver(
  old: Original,
  {
    place,
    password,
    now,
    cost,
  }: { place: VaultPlace; password: Secret; now: number; cost?: ScryptCost },
  listener: Listener,
): Promise<Tally> {
  await using room = openKeyRoom()
  const change = (draft: Draft) => addEntries(draft, old, room.publicKey, listener)
  const fates = await changeVault(place, password, change, {
    create: true,
    now,
    ...(cost && { cost }),
  })
  using vault = openVault(place, password)
  return compareEntries(vault, old, fates, listener.warn)
}

/** What the draft did with the entry at each position of the old file. */
type Fates = ReadonlyMap<number, 'added' | 'id taken' | 'refused'>

async function addEntries(
  draft: Draft,
  old: Original,
  publicKeyOf: PublicKeyOf,
  { warn, show }: Listener,
): Promise<Fates> {
  const fates = new Map<number, 'added' | 'id taken' | 'refused'>()
  for (using entry of old.entries()) {
    show(fates.size)
    try {
      const wallet = checkEntry(entry)
      const isTaken = draft.find(wallet.id) !== undefined
      fates.set(entry.position, isTaken ? 'id taken' : 'added')
      const remarks = isTaken ? [] : await addWallet(draft, wallet, publicKeyOf)
      for (const remark of remarks) warn(`${nameOf(entry)}: ${remark}`)
    } catch (thrown) {
      const { code, message } = asKmsError(thrown)
      // Only what the old file says; a full disk or a bug of ours ends the whole migration.
      if (code !== 'usage') throw thrown
      fates.set(entry.position, 'refused')
      warn(`${nameOf(entry)} is not taken over: ${message}`)
    }
  }
  return fates
}

/** An entry that has what every wallet must have. Its secrets stay the entry's own. */
type OldWallet = {
  readonly id: WalletId
  readonly chain: string
  readonly network: Network
  readonly xpub: string | undefined
  readonly address: string | undefined
  readonly mnemonic: Secret | undefined
  readonly keyText: Secret | undefined
}

function checkEntry(entry: OriginalEntry): OldWallet {
  const { id, chain, network, xpub, address, mnemonic, privateKey, secret } = entry
  const keyText = privateKey ?? secret
  if (id === undefined) throw refused('its id is not a UUID in lower case')
  if (chain === undefined) throw refused('it does not say for which chain it is')
  if (network === undefined) throw refused('it does not say for which network it is')
  if (privateKey && secret) throw refused('it has two private keys')
  if (!mnemonic && !keyText) throw refused('it has neither a mnemonic nor a private key')
  if (Math.max(mnemonic?.length ?? 0, keyText?.length ?? 0) > maxSecretLength) {
    throw refused(`its secret is longer than ${maxSecretLength} bytes`)
  }
  // BIP-39 normalizes to NFKD before deriving, which needs the text as a string; ASCII is NFKD.
  if (mnemonic && !mnemonic.use(isAscii)) throw refused('its mnemonic has letters outside ASCII')
  return { id, chain, network, xpub, address, mnemonic, keyText }
}

/** Answers what is odd about the wallet, which is stored all the same. */
async function addWallet(
  draft: Draft,
  old: OldWallet,
  publicKeyOf: PublicKeyOf,
): Promise<readonly string[]> {
  const wallet = await oldWallet(old, publicKeyOf)
  using _secret = wallet.secret
  using _node = wallet.node
  const info = draft.add(wallet)
  const remarks: string[] = []
  if (old.mnemonic && !isBip39(old.mnemonic)) {
    remarks.push('its mnemonic is not a valid BIP-39 mnemonic')
  }
  if (old.xpub !== undefined && old.xpub !== info.xpub) {
    remarks.push('its xpub in the old file is not the one of its secret')
  }
  if (old.address !== undefined && old.address !== addressOf(info)) {
    remarks.push('its address in the old file is not the one of its secret')
  }
  return remarks
}

/** Of a chain not known here, the facts of the old file are kept as they are. */
async function oldWallet(
  { id, chain: chainId, network, xpub, address, mnemonic, keyText }: OldWallet,
  publicKeyOf: PublicKeyOf,
): Promise<NewWallet> {
  const secret = walletSecret({ ...(mnemonic && { mnemonic }), ...(keyText && { keyText }) })
  const chain = findChain(chainId)
  if (chain === undefined) {
    const facts = { ...(xpub && { xpub }), ...(address && { address }) }
    const kind = mnemonic ? 'mnemonic' : 'key'
    return { id, chain: chainId, network, kind, ...facts, secret }
  }
  const place: WalletPlace = { chain, network, publicKeyOf }
  if (mnemonic) {
    return await oldMnemonicWallet(place, { id, mnemonic, keyText, secret })
  }
  if (keyText) return { ...(await keyWallet(place, keyText)), id, secret }
  throw refused('it has neither a mnemonic nor a private key')
}

/** With the first key of the old file where there is one; `secret` holds it and the mnemonic. */
async function oldMnemonicWallet(
  place: WalletPlace,
  {
    id,
    mnemonic,
    keyText,
    secret,
  }: Pick<OldWallet, 'id' | 'keyText'> & {
    readonly mnemonic: Secret
    readonly secret: WalletSecret
  },
): Promise<NewWallet> {
  const derived = await mnemonicWallet(place, mnemonic)
  if (derived.secret.keyText === undefined) return { ...derived, id, secret }
  if (keyText === undefined) return { ...derived, id }
  derived.secret.keyText.wipe()
  const publicKey = await publicKeyOfText(place, keyText)
  const address = place.chain.address(publicKey, place.network)
  return { ...derived, id, address, publicKey: publicKey.bytes, secret }
}

/** The original stores an address only with chains that have one per wallet: that of index 0. */
function addressOf(info: WalletInfo): string | undefined {
  const chain = findChain(info.chain)
  const { address, path, xpub, network } = info
  const derivation = chain?.key.derivation
  if (!chain || !derivation || address !== undefined || path === undefined) return address
  const first = childPublicKey({ derivation, network, path, ...(xpub && { xpub }) }, 0)
  return first && chain.address(first, network)
}

function isBip39(mnemonic: Secret): boolean {
  try {
    using checked = checkMnemonic(mnemonic)
    return isSame(checked, mnemonic)
  } catch {
    return false
  }
}

/** Reads the vault that is on disk now: what was added must be in it as the old file has it. */
function compareEntries(
  vault: Vault,
  old: Original,
  fates: Fates,
  warn: (text: string) => void,
): Tally {
  const tally = { migrated: 0, alreadyThere: 0, notTaken: 0 }
  const remarks = new Map<string, number>()
  for (using entry of old.entries()) {
    const fate = fates.get(entry.position) ?? 'refused'
    const isThere = fate !== 'refused' && isStored(vault, checkEntry(entry))
    if (isThere) tally[fate === 'added' ? 'migrated' : 'alreadyThere']++
    else tally.notTaken++
    if (fate === 'added' && !isThere) {
      throw new KmsError('vault-damaged', `${nameOf(entry)} is not in the vault as it was written`)
    }
    if (fate === 'id taken' && !isThere) {
      warn(`${nameOf(entry)} is not taken over: the vault has another wallet of this id`)
    }
    for (const remark of remarksOn(entry)) remarks.set(remark, (remarks.get(remark) ?? 0) + 1)
  }
  for (const [remark, count] of remarks) warn(`${remark} (wallets: ${count})`)
  return tally
}

function isStored(vault: Vault, wallet: OldWallet): boolean {
  const info = vault.find(wallet.id)
  if (info?.chain !== wallet.chain || info.network !== wallet.network) return false
  using stored = vault.reveal(wallet.id)
  return isSame(stored.mnemonic, wallet.mnemonic) && hasKey(stored, wallet)
}

/** What is said once for all wallets it is true of. */
function remarksOn({ chain, mnemonic, privateKey }: OriginalEntry): readonly string[] {
  const remarks: string[] = []
  if (chain !== undefined && findChain(chain) === undefined) {
    remarks.push(`${chain} wallets are kept as they were: this version cannot check or use them`)
  }
  if (chain === 'EGLD') {
    remarks.push(
      'never use an EGLD address that the original printed: it is the one of the empty mnemonic, and anybody can spend from it',
    )
  }
  if (privateKey && !mnemonic) {
    remarks.push(
      "never use a key that the original's getprivatekey printed for a private-key wallet: it is another one, known to everybody",
    )
  }
  return remarks
}

function nameOf({ id, position }: OriginalEntry): string {
  return id === undefined ? `entry ${position} of the old file` : `wallet ${id}`
}

function isAscii(bytes: Uint8Array): boolean {
  return bytes.every(byte => byte < 0x80)
}

/** A mnemonic may have got the text of its first key, which the old file did not have. */
function hasKey(stored: WalletSecret, { mnemonic, keyText }: OldWallet): boolean {
  return (mnemonic && keyText === undefined) || isSame(stored.keyText, keyText)
}

function isSame(a: Secret | undefined, b: Secret | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return a.use(left => b.use(right => equalBytes(left, right)))
}

function refused(why: string): KmsError {
  return new KmsError('usage', why)
}
