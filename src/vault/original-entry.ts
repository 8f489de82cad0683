import { equalBytes, utf8 } from '../base/bytes.ts'
import { KmsError } from '../base/errors.ts'
import type { Network, WalletId } from '../base/model.ts'
import type { Secret } from '../secret/secret.ts'
import { readSecretJson, type Scalar, type SecretJsonReader } from './secret-json-reader.ts'

/** One wallet as it stands in the file of the original. Nothing of it is checked against its chain. */
export type OriginalEntry = Disposable & {
  /** Counted from 1, in the order of the file. */
  readonly position: number
  /** Undefined when it is not a UUID in lower case, and so no id that a vault could keep. */
  readonly id: WalletId | undefined
  /** Undefined when it is missing or does not look like a chain's symbol. */
  readonly chain: string | undefined
  /** Undefined when the file says neither. */
  readonly network: Network | undefined
  readonly xpub: string | undefined
  readonly address: string | undefined
  /** Secrets that are empty or no text are undefined. */
  readonly mnemonic: Secret | undefined
  readonly privateKey: Secret | undefined
  readonly secret: Secret | undefined
}

/** Where an entry's members begin in the decrypted file. */
export type EntryPlace = {
  readonly position: number
  readonly id: WalletId | undefined
  readonly start: number
}

type Member = 'mnemonic' | 'privateKey' | 'secret' | 'xpub' | 'address' | 'chain' | 'testnet'

const members: readonly (readonly [Member, Uint8Array])[] = (
  ['mnemonic', 'privateKey', 'secret', 'xpub', 'address', 'chain', 'testnet'] as const
).map(name => [name, utf8(name)])

/** Every entry of the file, after reading all of it once: `{id: {member: text, truth or number}}`. */
export function indexOriginal(text: Secret, malformed: () => KmsError): readonly EntryPlace[] {
  const places: EntryPlace[] = []
  const ids = new Set<WalletId>()
  const reader = readSecretJson(text, malformed)
  for (using name of reader.members()) {
    const id = uuidOf(name)
    if (id !== undefined && ids.has(id)) throw twice(`two wallets of the id ${id}`)
    if (id !== undefined) ids.add(id)
    places.push({ position: places.length + 1, id, start: reader.position })
    for (const value of readMembers(reader).values()) wipe(value)
  }
  reader.end()
  return places
}

/** The entry at a place that `indexOriginal` has found. The caller disposes of it. */
export function readOriginalEntry(
  text: Secret,
  { position, id, start }: EntryPlace,
): OriginalEntry {
  const found = readMembers(readSecretJson(text, changed, start))
  const secretOf = (member: Member): Secret | undefined => {
    const value = asText(found.get(member))
    return value === undefined || value.length === 0 ? undefined : value
  }
  const publicOf = (member: Member): string | undefined => publicText(asText(found.get(member)))
  const chain = publicOf('chain')
  return {
    position,
    id,
    chain: chain !== undefined && /^[\w-]{1,32}$/.test(chain) ? chain : undefined,
    network: networkOf(found),
    xpub: publicOf('xpub'),
    address: publicOf('address'),
    mnemonic: secretOf('mnemonic'),
    privateKey: secretOf('privateKey'),
    secret: secretOf('secret'),
    [Symbol.dispose]() {
      for (const value of found.values()) wipe(value)
    },
  }
}

/** The members known here; others are passed over, in locked memory like these. */
function readMembers(reader: SecretJsonReader): ReadonlyMap<Member, Scalar> {
  const found = new Map<Member, Scalar>()
  try {
    for (using name of reader.members()) {
      const member = memberOf(name)
      const value = reader.scalar()
      if (member === undefined) {
        wipe(value)
        continue
      }
      if (found.has(member)) {
        wipe(value)
        throw twice(`a wallet with two members ${member}`)
      }
      found.set(member, value)
    }
    return found
  } catch (fault) {
    for (const value of found.values()) wipe(value)
    throw fault
  }
}

/** The original takes an absent `testnet` for false, and so does this. */
function networkOf(found: ReadonlyMap<Member, Scalar>): Network | undefined {
  if (!found.has('testnet')) return 'mainnet'
  const testnet = found.get('testnet')
  if (typeof testnet !== 'boolean') return undefined
  return testnet ? 'testnet' : 'mainnet'
}

function memberOf(name: Secret): Member | undefined {
  return name.use(bytes => members.find(([, known]) => equalBytes(bytes, known)))?.[0]
}

/** Only what is known to be an id becomes a string: in a damaged file a name may be a secret. */
function uuidOf(name: Secret): WalletId | undefined {
  return name.use(bytes => (isUuid(bytes) ? Buffer.from(bytes).toString('latin1') : undefined))
}

function isUuid(bytes: Uint8Array): boolean {
  const isHex = (byte: number): boolean =>
    (byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x66)
  const isDashAt = (i: number): boolean => i === 8 || i === 13 || i === 18 || i === 23
  return (
    bytes.length === 36 && bytes.every((byte, i) => (isDashAt(i) ? byte === 0x2d : isHex(byte)))
  )
}

const maxPublicLength = 1024

function publicText(value: Secret | undefined): string | undefined {
  return value?.use(bytes => {
    const isPrintable = bytes.every(byte => byte > 0x20 && byte < 0x7f)
    if (!isPrintable || bytes.length === 0 || bytes.length > maxPublicLength) return undefined
    return Buffer.from(bytes).toString('latin1')
  })
}

function asText(value: Scalar): Secret | undefined {
  return typeof value === 'boolean' ? undefined : value
}

function wipe(value: Scalar): void {
  asText(value)?.wipe()
}

function twice(what: string): KmsError {
  return new KmsError('vault-damaged', `the old wallet file has ${what}`)
}

function changed(): KmsError {
  return new KmsError('unexpected', 'the decrypted wallet file changed in memory')
}
