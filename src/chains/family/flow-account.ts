import type * as Nist from '@noble/curves/nist.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { sha3_256 } from '@noble/hashes/sha3.js'
import { concat, fromHex } from '../../base/bytes.ts'
import { KmsError } from '../../base/errors.ts'
import { asArray, asRecord, asString } from '../../base/json.ts'
import type { NodeReads } from '../../base/model.ts'
import type { Hex } from './evm-tx.ts'
import { wrongShape } from './flow-node.ts'
import type { Lent } from './flow-proposal.ts'
import type { FlowKey } from './flow-tx.ts'
import { asQuantity, type Members } from './members.ts'

/** The keys of Tatum's accounts, as an access node tells of them. */

/** How many transactions a key has proposed, as of the last sealed block or one of that height. */
export async function readSequenceNumber(
  node: NodeReads,
  proposer: FlowKey,
  block: bigint | 'sealed',
): Promise<number> {
  const key = await readKey(node, proposer, block)
  const number = asQuantity(key?.get('sequence_number'))
  if (number === undefined || number > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw wrongShape('the account of the proposer')
  }
  return Number(number)
}

/**
 * Refuses what Tatum gave for a signature and is none: once it is part of the payment's final bytes
 * nobody asks for another.
 */
export async function refuseWrongSignature(
  node: NodeReads,
  role: Lent,
  signer: FlowKey,
  { message, signature }: { readonly message: Uint8Array; readonly signature: Hex },
): Promise<void> {
  const key = await readKey(node, signer, 'sealed')
  const curve = curves.get(asString(key?.get('signing_algorithm')) ?? '')?.()
  const hash = hashes.get(asString(key?.get('hashing_algorithm')) ?? '')
  const [, digits] =
    /^(?:0x)?([0-9a-fA-F]{128})$/.exec(asString(key?.get('public_key')) ?? '') ?? []
  if (curve === undefined || hash === undefined || digits === undefined) {
    throw wrongShape(`the account of the ${role}`)
  }
  const options = { prehash: false, lowS: false }
  const point = concat(Uint8Array.of(4), bytesOf(digits))
  if (curve.verify(bytesOf(signature.slice(2)), hash(message), point, options)) return
  throw new KmsError(
    'network',
    `the Tatum API gave a signature of the ${role} that does not verify`,
  )
}

/** In the spelling of access nodes, and in that of their interface's description. */
const curves = new Map([
  ['ECDSA_P256', loadP256],
  ['ECDSAP256', loadP256],
  ['ECDSA_secp256k1', () => secp256k1],
  ['ECDSASecp256k1', () => secp256k1],
])

/** Its tables take as long to make as the rest of a command: only a Flow payment waits for them. */
function loadP256(): typeof Nist.p256 {
  const { p256 }: typeof Nist = require('@noble/curves/nist.js')
  return p256
}

const hashes = new Map([
  ['SHA2_256', sha256],
  ['SHA3_256', sha3_256],
])

async function readKey(
  node: NodeReads,
  { address, keyId }: FlowKey,
  block: bigint | 'sealed',
): Promise<Members | undefined> {
  const query = `block_height=${block}&expand=contracts,keys`
  const account = asRecord(await node.get(`/v1/accounts/${address.slice(2)}?${query}`))
  const keys = asArray(account?.get('keys'))?.map(asRecord)
  return keys?.find(found => asQuantity(found?.get('index')) === BigInt(keyId))
}

function bytesOf(digits: string): Uint8Array {
  return fromHex(digits) ?? new Uint8Array()
}
