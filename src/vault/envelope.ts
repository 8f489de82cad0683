import { utf8 } from '../base/bytes.ts'
import { KmsError } from '../base/errors.ts'
import { hkdf, type ScryptCost, scrypt } from '../secret/kdf.ts'
import { randomPublicBytes, randomSecret } from '../secret/random.ts'
import { nonceLength, seal, sealInto, tagLength, unseal, unsealPublic } from '../secret/seal.ts'
import type { Secret } from '../secret/secret.ts'
import {
  damaged,
  decodeHeader,
  encodeHeader,
  type Header,
  type Slot,
  saltLength,
  slotAad,
} from './header.ts'
import { attributeAad, attributes, attributesOf } from './records.ts'

/** The three keys a vault works with, all made from its master key (HKDF-SHA256). */
export type VaultKeys = Disposable & {
  readonly body: Secret
  readonly record: Secret
  /** Chains the ledger's commits. */
  readonly audit: Secret
}

/** A header whose body has not been written yet. */
export type VaultState = Pick<Header, 'vaultId' | 'generation' | 'slots'>

/** A vault file's contents, and the keys to work with. */
export type Opened = {
  readonly state: Header
  readonly keys: VaultKeys
  readonly body: Uint8Array
}

/** A new vault's identity, its one password slot and its keys. */
export function createVaultState(
  password: Secret,
  { cost, label, now }: { cost: ScryptCost; label: string; now: number },
): { readonly state: VaultState; readonly keys: VaultKeys } {
  using master = randomSecret(32)
  const vaultId = randomPublicBytes(16)
  const slot = wrapMaster(master, password, vaultId, { cost, label, now })
  return { state: { vaultId, generation: 0n, slots: [slot] }, keys: deriveKeys(master, vaultId) }
}

/** Opens `file` with a password. A good header that no slot opens is a wrong password. */
export function openEnvelope(file: Uint8Array, password: Secret): Opened {
  using master = unwrapMaster(decodeHeader(file).header, password).master
  return openWithMaster(file, master)
}

/** Opens `file` with its master key. The caller disposes of the keys. */
export function openWithMaster(file: Uint8Array, master: Secret): Opened {
  const derived = deriveKeys(master, decodeHeader(file).header.vaultId)
  try {
    const { state, body } = openBody(file, derived)
    return { state, body, keys: withKeptAudit(derived, state.vaultId, body) }
  } catch (fault) {
    derived[Symbol.dispose]()
    throw fault
  }
}

/** After a rotation of the master key the ledger goes on with the audit key it began with. */
function withKeptAudit(derived: VaultKeys, vaultId: Uint8Array, body: Uint8Array): VaultKeys {
  const sealed = attributesOf(body).get(attributes.audit)
  if (sealed === undefined) return derived
  const audit = unseal(derived.record, sealed, attributeAad(vaultId, 'audit'))
  if (audit === undefined) throw damaged('its audit key does not open')
  derived.audit.wipe()
  return vaultKeys(derived.body, derived.record, audit)
}

/** The master key, and which slot the password opens. The caller wipes the key. */
export function unwrapMaster(
  { vaultId, slots }: Pick<Header, 'vaultId' | 'slots'>,
  password: Secret,
): { readonly master: Secret; readonly slot: Slot } {
  for (const slot of slots) {
    using kek = scrypt(password, slot.salt, slot.cost)
    const master = unseal(kek, slot.wrapped, slotAad(vaultId, slot))
    if (master !== undefined) return { master, slot }
  }
  throw new KmsError('wrong-password', 'wrong password')
}

/** Opens `file` with keys that are already held: no password, no scrypt. */
export function openBody(file: Uint8Array, keys: VaultKeys): Pick<Opened, 'state' | 'body'> {
  const { header, length } = decodeHeader(file)
  const sealed = file.subarray(length)
  const body = unsealPublic(keys.body, header.bodyNonce, sealed, file.subarray(0, length))
  if (body === undefined) throw damaged('its body does not match its header')
  return { state: header, body }
}

/** The file that says `body`: a fresh nonce, the whole header as additional data. */
export function sealEnvelope(state: VaultState, keys: VaultKeys, body: Uint8Array): Uint8Array {
  const bodyNonce = randomPublicBytes(nonceLength)
  const header = encodeHeader({ ...state, bodyNonce, bodyLength: body.length + tagLength })
  const file = new Uint8Array(header.length + body.length + tagLength)
  file.set(header)
  sealInto(file.subarray(header.length), {
    key: keys.body,
    nonce: bodyNonce,
    plaintext: body,
    aad: header,
  })
  return file
}

/** A password slot: the master key under a password's key. */
export function wrapMaster(
  master: Secret,
  password: Secret,
  vaultId: Uint8Array,
  { cost, label, now }: { cost: ScryptCost; label: string; now: number },
): Slot {
  const salt = randomPublicBytes(saltLength)
  const facts = { id: randomPublicBytes(16), createdAt: now, label, cost, salt }
  using kek = scrypt(password, salt, cost)
  const wrapped = master.use(bytes => seal(kek, bytes, slotAad(vaultId, facts)))
  return { ...facts, wrapped }
}

/** The keys of a master key. The caller disposes of them. */
export function deriveKeys(master: Secret, vaultId: Uint8Array): VaultKeys {
  const derive = (info: string): Secret => hkdf(master, vaultId, utf8(info))
  return vaultKeys(derive('body'), derive('record'), derive('audit'))
}

function vaultKeys(body: Secret, record: Secret, audit: Secret): VaultKeys {
  return {
    body,
    record,
    audit,
    [Symbol.dispose]() {
      for (const key of [body, record, audit]) key.wipe()
    },
  }
}
