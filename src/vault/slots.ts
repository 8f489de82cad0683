import { hex } from '../base/bytes.ts'
import { withLock } from '../base/disk.ts'
import { KmsError } from '../base/errors.ts'
import { replaceFile } from '../base/replace-file.ts'
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
import {
  attributeAad,
  attributes,
  indexBody,
  recordAad,
  resealBody,
  withAttribute,
} from './records.ts'
import { proveRecords } from './sealed-record.ts'
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

/** How a slot that is to be written is made. One in the place of another is never cheaper than it. */
export type SlotSettings = { readonly cost: ScryptCost; readonly now: number }

/**
 * Asks for the password of a slot that must be wrapped anew; undefined drops the slot. One that
 * does not open the slot is refused: a slip would lock its owner out.
 */
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
  return rewrite(place, password, fresh, false, ({ master, slotId, state }) => {
    refuseKnown(fresh, state, slotId)
    const slots = state.slots.map(slot =>
      hex(slot.id) === slotId ? wrapAnew(slot, master, fresh, state.vaultId, settings) : slot,
    )
    return { slots }
  })
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
    refuseKnown(fresh, state)
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
  return rewrite(place, password, fresh, true, opened => {
    refuseKnown(fresh, opened.state, opened.slotId)
    return rotate(opened, fresh, ask, settings)
  })
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
    return rotate({ ...opened, state: { ...state, slots } }, password, ask, settings)
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
    proveEverySecret(file, opensAfter)
    replaceFile(place.disk, place.path, file, { keepPrevious: !erase })
  })
}

/** Before older copies go, every secret must open from the new file, with the password alone. */
function proveEverySecret(file: Uint8Array, password: Secret): void {
  const { state, keys, body } = openEnvelope(file, password)
  using _keys = keys
  proveRecords({ keys, vaultId: state.vaultId }, body, indexBody(body).values())
}

/**
 * A new master key for the slots of `opened.state`, `own` for the opened one, and every secret
 * sealed again under it. A slot whose password is not given is left out: nobody can wrap the new
 * key for it.
 */
function rotate(
  { slotId, state, keys, body }: Opened,
  own: Secret,
  ask: AskSlotPassword,
  settings: SlotSettings,
): Change {
  const { vaultId } = state
  using master = randomSecret(32)
  const slots = state.slots.flatMap(slot => {
    const isOwn = hex(slot.id) === slotId
    const password = isOwn ? own : ask(slotInfo(slot))
    if (password === undefined) return []
    if (!isOwn) unwrapMaster({ vaultId, slots: [slot] }, password).master.wipe()
    return [wrapAnew(slot, master, password, vaultId, settings)]
  })
  const fresh = deriveKeys(master, vaultId)
  try {
    return { slots, keys: fresh, body: sealAnew(body, vaultId, keys, fresh) }
  } catch (fault) {
    fresh[Symbol.dispose]()
    throw fault
  }
}

/** Every secret of `body` under the keys `to`. */
function sealAnew(
  body: Uint8Array,
  vaultId: Uint8Array,
  from: VaultKeys,
  to: VaultKeys,
): Uint8Array {
  const resealed = resealBody(body, (info, part, sealed) => {
    const aad = recordAad(vaultId, info, part)
    using secret = unseal(from.record, sealed, aad)
    if (secret === undefined) throw damaged(`the ${part} of wallet ${info.id} does not open`)
    return secret.use(bytes => seal(to.record, bytes, aad))
  })
  // The ledger's commits are chained under the audit key it began with.
  const audit = from.audit.use(bytes => seal(to.record, bytes, attributeAad(vaultId, 'audit')))
  return withAttribute(resealed, attributes.audit, audit)
}

/** A slot in the place of `slot`. Whoever raised its cost does not have to say so every time. */
function wrapAnew(
  { label, cost }: Slot,
  master: Secret,
  password: Secret,
  vaultId: Uint8Array,
  settings: SlotSettings,
): Slot {
  const dearer = work(settings.cost) > work(cost) ? settings.cost : cost
  return wrapMaster(master, password, vaultId, { now: settings.now, label, cost: dearer })
}

function work({ log2N, r, p }: ScryptCost): number {
  return 2 ** log2N * r * p
}

/**
 * Two slots of one password would be one secret behind two names: who changes or removes one of
 * them believes that the password opens nothing any more.
 */
function refuseKnown(fresh: Secret, { vaultId, slots }: VaultState, except?: string): void {
  const others = slots.filter(slot => hex(slot.id) !== except)
  if (!isOpenedBy({ vaultId, slots: others }, fresh)) return
  throw new KmsError('usage', 'another slot of the vault has the new password already')
}

function isOpenedBy(header: Pick<VaultState, 'vaultId' | 'slots'>, password: Secret): boolean {
  try {
    unwrapMaster(header, password).master.wipe()
    return true
  } catch (thrown) {
    if (thrown instanceof KmsError && thrown.code === 'wrong-password') return false
    throw thrown
  }
}

function slotInfo({ id, label, createdAt, cost }: Slot): SlotInfo {
  return { id: hex(id), label, createdAt, cost }
}
