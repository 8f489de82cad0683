import { createHash } from 'node:crypto'
import { readBytes, u8, u16, u32, u64 } from '../base/binary.ts'
import { concat, equalBytes, utf8 } from '../base/bytes.ts'
import { KmsError } from '../base/errors.ts'
import type { ScryptCost } from '../secret/kdf.ts'
import { nonceLength, tagLength } from '../secret/seal.ts'

/** One way to open the vault: a password's cost, salt, and the master key wrapped under it. */
export type Slot = {
  /** 16 random bytes. */
  readonly id: Uint8Array
  /** Milliseconds since 1970. */
  readonly createdAt: number
  readonly label: string
  readonly cost: ScryptCost
  readonly salt: Uint8Array
  /** Nonce, sealed master key, tag. */
  readonly wrapped: Uint8Array
}

/** What stands in the clear at the start of a vault file (docs/format.md). */
export type Header = {
  /** 16 random bytes, the same for the vault's whole life. */
  readonly vaultId: Uint8Array
  /** Grows by one with every write. */
  readonly generation: bigint
  readonly slots: readonly Slot[]
  readonly bodyNonce: Uint8Array
  /** Bytes of ciphertext and tag behind the header. */
  readonly bodyLength: number
}

export const formatVersion = 1
export const saltLength = 32
export const maxFileLength = 2 ** 30
const magic = utf8('tatumkms')
const wrappedLength = nonceLength + 32 + tagLength
const hashLength = 32
const maxSlots = 8
const maxLabelLength = 64
const scryptId = 1
/** The original writes base64 of OpenSSL's "Salted__". */
const originalMagic = utf8('U2FsdGVkX1')

/** The header's bytes, ending in their own SHA-256. All of them are the body's AAD. */
export function encodeHeader(header: Header): Uint8Array {
  const { vaultId, generation, slots, bodyNonce, bodyLength } = header
  const rest = concat(
    vaultId,
    u64(generation),
    u8(slots.length),
    ...slots.flatMap(slot => [slotFacts(slot), slot.wrapped]),
    bodyNonce,
    u64(BigInt(bodyLength)),
  )
  const length = magic.length + 2 + 4 + rest.length + hashLength
  const facts = concat(magic, u16(formatVersion), u32(length), rest)
  return concat(facts, sha256(facts))
}

/** What a slot's wrapped key is bound to: it opens in no other vault, slot or cost. */
export function slotAad(vaultId: Uint8Array, slot: Omit<Slot, 'wrapped'>): Uint8Array {
  return concat(utf8('tatum-kms slot'), u16(formatVersion), vaultId, slotFacts(slot))
}

function slotFacts(slot: Omit<Slot, 'wrapped'>): Uint8Array {
  const label = utf8(slot.label)
  const { log2N, r, p } = slot.cost
  return concat(
    slot.id,
    u64(BigInt(slot.createdAt)),
    u8(label.length),
    label,
    u8(scryptId),
    u8(log2N),
    u32(r),
    u32(p),
    u8(slot.salt.length),
    slot.salt,
  )
}

/** Reads and checks the header at the start of `file`; `length` is where the body begins. */
export function decodeHeader(file: Uint8Array): {
  readonly header: Header
  readonly length: number
} {
  const length = checkFrame(file)
  // A copy: a view of it would keep the whole file in memory for as long as the vault is open.
  const reader = readBytes(file.slice(magic.length + 6, length - hashLength), () =>
    damaged('the header ends too early'),
  )
  const vaultId = reader.take(16)
  const generation = reader.u64()
  const count = reader.u8()
  if (count < 1 || count > maxSlots) throw damaged(`it has ${count} password slots`)
  const slots: Slot[] = []
  for (let i = 0; i < count; i++) {
    const facts = readSlot(reader)
    slots.push({ ...facts, wrapped: reader.take(wrappedLength) })
  }
  const bodyNonce = reader.take(nonceLength)
  const bodyLength = reader.u64()
  if (reader.remaining > 0) throw damaged('the header is too long')
  if (bodyLength !== BigInt(file.length - length)) throw damaged('its length is wrong')
  return {
    header: { vaultId, generation, slots, bodyNonce, bodyLength: Number(bodyLength) },
    length,
  }
}

/** Checks magic, version and the header's own hash, before anything costly or variable is read. */
function checkFrame(file: Uint8Array): number {
  if (file.length === 0) throw damaged('the file is empty')
  if (equalBytes(file.subarray(0, originalMagic.length), originalMagic)) {
    throw new KmsError('vault-damaged', 'this is a wallet file of the original tatum-kms', {
      hint: 'bring it over with: tatum-kms migrate FILE',
    })
  }
  const start = readBytes(file, () => damaged('the file ends too early'))
  if (!equalBytes(start.take(magic.length), magic)) throw damaged('it does not begin like a vault')
  const version = start.u16()
  if (version !== formatVersion) {
    throw new KmsError('vault-damaged', `the vault has format version ${version}, not known here`, {
      hint: 'a newer tatum-kms wrote it, or it is not a vault',
    })
  }
  const length = start.u32()
  if (length < start.position + hashLength || length > file.length) {
    throw damaged('the file ends too early')
  }
  const facts = file.subarray(0, length - hashLength)
  if (!equalBytes(sha256(facts), file.subarray(length - hashLength, length))) {
    throw damaged('its header does not match its checksum')
  }
  return length
}

function readSlot(reader: ReturnType<typeof readBytes>): Omit<Slot, 'wrapped'> {
  const id = reader.take(16)
  const createdAt = Number(reader.u64())
  if (!Number.isSafeInteger(createdAt)) throw damaged('a slot has an impossible date')
  const labelLength = reader.u8()
  if (labelLength > maxLabelLength) throw damaged('a slot label is too long')
  const label = readLabel(reader.take(labelLength))
  if (reader.u8() !== scryptId) throw damaged('a slot uses an unknown key derivation')
  const cost = { log2N: reader.u8(), r: reader.u32(), p: reader.u32() }
  refuseCost(cost)
  const length = reader.u8()
  if (length < 16 || length > 64) throw damaged('a slot has a salt of the wrong length')
  return { id, createdAt, label, cost, salt: reader.take(length) }
}

/** Its bytes are part of the slot's AAD, so the text must come back as exactly these. */
function readLabel(bytes: Uint8Array): string {
  const label = Buffer.from(bytes).toString('utf8')
  if (!equalBytes(utf8(label), bytes)) throw damaged('a slot label is not UTF-8')
  return label
}

/** A hostile header must not be able to burn memory or time, nor to weaken the password. */
function refuseCost({ log2N, r, p }: ScryptCost): void {
  const memory = 128 * 2 ** log2N * r
  if (log2N < 14 || log2N > 23 || r < 1 || r > 64 || p < 1 || p > 4 || memory > 2 ** 30) {
    throw damaged('a slot asks for a password cost outside the limits')
  }
}

function sha256(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest()
}

export function damaged(what: string): KmsError {
  return new KmsError('vault-damaged', `the vault is damaged or not a vault: ${what}`)
}
