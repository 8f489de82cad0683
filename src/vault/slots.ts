import { hex } from '../base/bytes.ts'
import { replaceFile, withLock } from '../base/disk.ts'
import { KmsError } from '../base/errors.ts'
import type { ScryptCost } from '../secret/kdf.ts'
import { randomSecret } from '../secret/random.ts'
import { seal, unseal } from '../secret/seal.ts'
import type { Secret } from '../secret/secret.ts'
import {
  deriveKeys,
  openEnvelope,
  openWithMaster,
  sealEnvelope,
  unwrapMaster,
  type VaultKeys,
  type VaultState,
  wrapMaster,
} from './envelope.ts'
import { damaged, decodeHeader, type Slot } from './header.ts'
import { attributeAad, attributes, recordAad, resealBody, withAttribute } from './records.ts'
import { readVaultFile, requireVault, type VaultPlace } from './vault.ts'

/** A password slot, without anything that helps to open it. */
export type SlotInfo = {
  /** 32 hex digits. */
  readonly id: string
  readonly label: string
  /** Milliseconds since 1970. */
  readonly createdAt: number
  readonly cost: ScryptCost
}

/** How a slot that is to be written is made. */
export type SlotSettings = { readonly cost: ScryptCost; readonly now: number }

/** Asks for the password of a slot that must be wrapped anew; undefined drops the slot. */
export type AskSlotPassword = (slot: SlotInfo) => Secret | undefined

/** The slots of a vault file. No password is needed to see them. */
export function listSlots(file: Uint8Array): readonly SlotInfo[] {
  return decodeHeader(file).header.slots.map(slotInfo)
}

/** The slot that `password` opens gets the new password. Older copies still open with the old one. */
export function changePassword(
  place: VaultPlace,
  password: Secret,
  fresh: Secret,
  settings: SlotSettings,
): Promise<void> {
  return rewrite(place, password, fresh, false, ({ master, slotId, state }) => ({
    slots: state.slots.map(slot => {
      const { id, label } = slotInfo(slot)
      return id === slotId ? wrapMaster(master, fresh, state.vaultId, { ...settings, label }) : slot
    }),
  }))
}

/** One more password that opens the vault. */
export function addPassword(
  place: VaultPlace,
  password: Secret,
  fresh: Secret,
  { label, ...settings }: SlotSettings & { readonly label: string },
): Promise<void> {
  return rewrite(place, password, fresh, false, ({ master, state }) => {
    if (state.slots.length >= 8) throw new KmsError('usage', 'the vault has 8 passwords already')
    const next = wrapMaster(master, fresh, state.vaultId, { ...settings, label })
    return { slots: [...state.slots, next] }
  })
}

/** A new master key under a new password: what an older copy holds opens nothing of later ones. */
export function rotatePassword(
  place: VaultPlace,
  password: Secret,
  fresh: Secret,
  ask: AskSlotPassword,
  settings: SlotSettings,
): Promise<void> {
  return rewrite(place, password, fresh, true, opened =>
    rotate(opened, settings, slot => (slot.id === opened.slotId ? fresh : ask(slot))),
  )
}

/**
 * The slot `id` opens the vault no more, and neither does anything its password ever gave access
 * to: the master key is new and every secret is sealed again.
 */
export function removePassword(
  place: VaultPlace,
  password: Secret,
  id: string,
  ask: AskSlotPassword,
  settings: SlotSettings,
): Promise<void> {
  return rewrite(place, password, password, true, opened => {
    const { state, slotId } = opened
    if (!state.slots.some(slot => hex(slot.id) === id)) {
      throw new KmsError('usage', 'the vault has no password slot of that id')
    }
    if (slotId === id) {
      throw new KmsError('usage', 'a password cannot remove itself: open the vault with another')
    }
    const slots = state.slots.filter(slot => hex(slot.id) !== id)
    return rotate({ ...opened, state: { ...state, slots } }, settings, slot =>
      slot.id === slotId ? password : ask(slot),
    )
  })
}

type Opened = {
  readonly master: Secret
  /** Of the slot that the password opened. */
  readonly slotId: string
  readonly state: VaultState
  readonly keys: VaultKeys
  readonly body: Uint8Array
}

/** What changes; keys and body only when the master key does. The caller disposes of the keys. */
type Change = {
  readonly slots: readonly Slot[]
  readonly keys?: VaultKeys
  readonly body?: Uint8Array
}

/**
 * Changes the vault's slots under its lock. Before the file is replaced it is opened with the
 * password that must open it afterwards.
 *
 * @param erase overwrites and removes the old file and its `.bak` instead of keeping them
 */
function rewrite(
  place: VaultPlace,
  password: Secret,
  opensAfter: Secret,
  erase: boolean,
  change: (opened: Opened) => Change,
): Promise<void> {
  requireVault(place)
  return withLock(place.disk, place.path, place.lockWaitMs, () => {
    const before = readVaultFile(place)
    const { master, slot } = unwrapMaster(decodeHeader(before).header, password)
    using _master = master
    const { state, keys, body } = openWithMaster(before, master)
    using _keys = keys
    const changed = change({ master, slotId: hex(slot.id), state, keys, body })
    using _fresh = changed.keys
    const next = { ...state, generation: state.generation + 1n, slots: changed.slots }
    const file = sealEnvelope(next, changed.keys ?? keys, changed.body ?? body)
    openEnvelope(file, opensAfter).keys[Symbol.dispose]()
    replaceFile(place.disk, place.path, file, { keepPrevious: !erase })
  })
}

/**
 * A new master key for the slots of `opened.state`, and every secret sealed again under it. A slot
 * whose password is not given is left out: nobody can wrap the new key for it.
 */
function rotate(
  { state, keys, body }: Opened,
  settings: SlotSettings,
  passwordOf: AskSlotPassword,
): Change {
  using master = randomSecret(32)
  const { vaultId } = state
  const slots = state.slots.flatMap(slot => {
    const info = slotInfo(slot)
    const password = passwordOf(info)
    if (password === undefined) return []
    return [wrapMaster(master, password, vaultId, { ...settings, label: info.label })]
  })
  const fresh = deriveKeys(master, vaultId)
  const resealed = resealBody(body, (info, part, sealed) => {
    const aad = recordAad(vaultId, info, part)
    using secret = unseal(keys.record, sealed, aad)
    if (secret === undefined) throw damaged(`the ${part} of wallet ${info.id} does not open`)
    return secret.use(bytes => seal(fresh.record, bytes, aad))
  })
  // The ledger's commits are chained under the audit key it began with.
  const audit = keys.audit.use(bytes => seal(fresh.record, bytes, attributeAad(vaultId, 'audit')))
  return { slots, keys: fresh, body: withAttribute(resealed, attributes.audit, audit) }
}

function slotInfo({ id, label, createdAt, cost }: Slot): SlotInfo {
  return { id: hex(id), label, createdAt, cost }
}
