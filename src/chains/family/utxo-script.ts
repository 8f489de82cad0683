import { Address, Script } from '@scure/btc-signer'
import { hash160 } from '@scure/btc-signer/utils.js'
import { hex } from '../../base/bytes.ts'
import { KmsError } from '../../base/errors.ts'
import type { PublicKey } from '../../base/model.ts'
import { bytesOf } from './utxo-tx.ts'

/** The ways to pay to one key whose outputs can be spent here. */
type ScriptForm = 'p2pk' | 'p2pkh' | 'p2wpkh' | 'p2sh-p2wpkh'

/** How a network writes addresses. */
export type AddressVersions = {
  readonly p2pkh: number
  readonly p2sh: number
  /** Absent on chains without segwit. */
  readonly bech32?: string
}

/** How one of our keys spends an output: `key` is its position in `Own.keys`. */
export type Spend = {
  readonly key: number
  readonly form: ScriptForm
  readonly publicKey: Uint8Array
}

/** Every script that pays one of `keys`, as hex, and how it is spent. */
export function ownScripts(
  keys: readonly PublicKey[],
  versions: AddressVersions,
): ReadonlyMap<string, Spend> {
  const scripts = new Map<string, Spend>()
  for (const [key, publicKey] of keys.entries()) {
    for (const [form, script] of formsOf(publicKey, versions)) {
      if (!scripts.has(script)) scripts.set(script, { key, form, publicKey: publicKey.bytes })
    }
  }
  return scripts
}

/** The script a wallet's own address stands for. */
export function ownAddressScript(
  publicKey: PublicKey,
  form: 'p2pkh' | 'p2wpkh',
  versions: AddressVersions,
): string {
  const forms = formsOf(publicKey, versions)
  // Coins sent to the segwit form of an uncompressed key are lost (BIP-143).
  const script = forms.get(form) ?? forms.get('p2pkh')
  if (script === undefined) throw new KmsError('unexpected', 'a public key has no address')
  return script
}

function formsOf(publicKey: PublicKey, versions: AddressVersions): ReadonlyMap<ScriptForm, string> {
  const { bytes, curve } = publicKey
  if (curve !== 'secp256k1' || (bytes.length !== 33 && bytes.length !== 65)) {
    throw new KmsError('unexpected', 'a key is not a secp256k1 public key')
  }
  const hash = hex(hash160(bytes))
  const forms = new Map<ScriptForm, string>([
    ['p2pk', `${bytes.length === 33 ? '21' : '41'}${hex(bytes)}ac`],
    ['p2pkh', p2pkhScript(hash)],
  ])
  if (bytes.length === 65 || versions.bech32 === undefined) return forms
  forms.set('p2wpkh', `0014${hash}`)
  return forms.set('p2sh-p2wpkh', `a914${hex(hash160(redeemScript(bytes)))}87`)
}

/** P2SH-P2WPKH: the script whose hash is paid, a P2WPKH program (BIP-141). */
export function redeemScript(publicKey: Uint8Array): Uint8Array {
  return bytesOf(`0014${hex(hash160(publicKey))}`)
}

/** The script that legacy and BIP-143 hashing have for a key's hash. */
export function p2pkhScript(hash: string): string {
  return `76a914${hash}88ac`
}

/**
 * The address of a script, 'OP_RETURN <data>' for null data, 'script <hex>' for the rest. Two
 * different scripts never have the same text.
 */
export function describeScript(script: string, versions: AddressVersions): string {
  return addressOf(script, versions) ?? describeUnaddressed(script)
}

/** As `describeScript`, for a script without an address. */
export function describeUnaddressed(script: string): string {
  const data = nullDataOf(script)
  return data === undefined ? `script ${script}` : `OP_RETURN ${hex(data)}`
}

/** The data after OP_RETURN when it is a single push, spelled the one usual way. */
function nullDataOf(script: string): Uint8Array | undefined {
  const [data, ...rest] = script.startsWith('6a') ? pushesOf(script.slice(2)) : []
  if (!(data instanceof Uint8Array) || rest.length > 0) return undefined
  return hex(Script.encode(['RETURN', data])) === script ? data : undefined
}

function pushesOf(script: string): readonly unknown[] {
  try {
    return Script.decode(bytesOf(script))
  } catch {
    return []
  }
}

function addressOf(script: string, { p2pkh, p2sh, bech32 }: AddressVersions): string | undefined {
  const kind = kindOf(script)
  const coder = Address({ pubKeyHash: p2pkh, scriptHash: p2sh, bech32: bech32 ?? '', wif: 0 })
  if (kind === 'P2PKH') return coder.encode({ type: 'pkh', hash: bytesOf(script.slice(6, 46)) })
  if (kind === 'P2SH') return coder.encode({ type: 'sh', hash: bytesOf(script.slice(4, 44)) })
  if (bech32 === undefined) return undefined
  const program = bytesOf(script.slice(4))
  if (kind === 'P2WPKH') return coder.encode({ type: 'wpkh', hash: program })
  if (kind === 'P2WSH') return coder.encode({ type: 'wsh', hash: program })
  if (kind === 'taproot') return coder.encode({ type: 'tr', pubkey: program })
  return undefined
}

/** Why an output that is in no `ownScripts` cannot be spent: a clause after 'input 3'. */
export function explainForeign(script: string, { bech32 }: AddressVersions): string {
  const kind = kindOf(script)
  const segwit = bech32 !== undefined
  if (kind === undefined) return 'has a script of an unknown form'
  if (kind === 'P2PK' || kind === 'P2PKH' || (kind === 'P2WPKH' && segwit)) {
    return 'belongs to none of the keys of this payment'
  }
  if (kind === 'P2SH' && segwit) {
    return 'pays to a script that is not nested segwit of a key of this payment'
  }
  return `is ${kind}, which is not signed here`
}

/** BIP-141: a version from 0 to 16, then one push of 2 to 40 bytes. */
export function isWitnessProgram(script: string): boolean {
  const isForm = /^(00|5[1-9a-f]|60)[0-9a-f]{6,82}$/.test(script)
  return isForm && Number.parseInt(script.slice(2, 4), 16) === script.length / 2 - 2
}

type ScriptKind = 'P2PK' | 'P2PKH' | 'P2SH' | 'P2WPKH' | 'P2WSH' | 'taproot' | 'bare multisig'

const kinds: readonly (readonly [ScriptKind, RegExp])[] = [
  ['P2PKH', /^76a914[0-9a-f]{40}88ac$/],
  ['P2SH', /^a914[0-9a-f]{40}87$/],
  ['P2WPKH', /^0014[0-9a-f]{40}$/],
  ['P2WSH', /^0020[0-9a-f]{64}$/],
  ['taproot', /^5120[0-9a-f]{64}$/],
  ['P2PK', /^(21[0-9a-f]{66}|41[0-9a-f]{130})ac$/],
  ['bare multisig', /^5[1-9a-f]((21[0-9a-f]{66}|41[0-9a-f]{130})+)5[1-9a-f]ae$/],
]

/** Exact bytes only: a form spelled with other pushes has no address and is not ours. */
function kindOf(script: string): ScriptKind | undefined {
  return kinds.find(([, pattern]) => pattern.test(script))?.[0]
}
