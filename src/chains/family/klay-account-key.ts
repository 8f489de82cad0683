import { secp256k1 } from '@noble/curves/secp256k1.js'
import { fromHex, hex } from '../../base/bytes.ts'
import { decodeRlp, type Rlp } from '../codec/rlp.ts'
import { readItems } from '../codec/rlp-items.ts'
import type { Hex } from './evm-tx.ts'
import { malformed } from './refusals.ts'

/** Who signs for an account of Kaia (docs.kaia.io, "Account Key"). */
export type AccountKey =
  /** `legacy`: the key that the address is made of; `fail`: none; `same`: as it was. */
  | { readonly kind: 'legacy' | 'fail' | 'same' }
  /** Hex of a compressed point. */
  | { readonly kind: 'public'; readonly key: string }
  | {
      readonly kind: 'multisig'
      readonly threshold: bigint
      readonly keys: readonly { readonly weight: bigint; readonly key: string }[]
    }
  | { readonly kind: 'roles'; readonly roles: readonly AccountKey[] }

/** In the order in which they are encoded. */
const roleNames = ['payments', 'account updates', 'fees of others'] as const

const maxKeys = 10

export function readAccountKey(encoded: Hex): AccountKey {
  const bytes = fromHex(encoded.slice(2)) ?? new Uint8Array()
  return bytes[0] === 0x05 ? readRoles(bytes) : readSingle(bytes)
}

export function spellAccountKey(key: AccountKey): string {
  switch (key.kind) {
    case 'public':
      return key.key
    case 'multisig': {
      const keys = key.keys.map(({ weight, key }) => `${key}:${weight}`)
      return `${keys.join(' ')} threshold=${key.threshold}`
    }
    case 'roles':
      return key.roles.map((role, i) => `${roleNames[i]}: ${spellAccountKey(role)}`).join('; ')
    default:
      return key.kind
  }
}

function readSingle(bytes: Uint8Array): AccountKey {
  switch (hex(bytes)) {
    case '01c0':
      return { kind: 'legacy' }
    case '03c0':
      return { kind: 'fail' }
    default:
  }
  const contents = decodeRlp(bytes.subarray(1))
  if (bytes[0] === 0x02) return { kind: 'public', key: readPoint(contents) }
  if (bytes[0] === 0x04) return readMultisig(contents)
  throw broken()
}

function readMultisig(contents: Rlp | undefined): AccountKey {
  const items = readItems(contents, 'threshold keys', broken)
  const keys = items.list('keys').map(entry => {
    const each = readItems(entry, 'weight key', broken)
    return { weight: each.number('weight'), key: readPoint(each.bytes('key')) }
  })
  if (keys.length === 0 || keys.length > maxKeys) throw broken()
  return { kind: 'multisig', threshold: items.number('threshold'), keys }
}

/** Of one to three roles; those that are not named fall to the first. */
function readRoles(bytes: Uint8Array): AccountKey {
  const list = decodeRlp(bytes.subarray(1))
  if (list === undefined || list instanceof Uint8Array) throw broken()
  if (list.length === 0 || list.length > roleNames.length) throw broken()
  const roles = list.map((item): AccountKey => {
    if (!(item instanceof Uint8Array)) throw broken()
    return hex(item) === '80' ? { kind: 'same' } : readSingle(item)
  })
  return { kind: 'roles', roles }
}

function readPoint(item: Rlp | undefined): string {
  if (item instanceof Uint8Array && item.length === 33 && secp256k1.utils.isValidPublicKey(item)) {
    return hex(item)
  }
  throw broken()
}

function broken(): Error {
  return malformed('the new key of the account is none that is known')
}
