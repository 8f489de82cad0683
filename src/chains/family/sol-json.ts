import { fromHex } from '../../base/bytes.ts'
import { asRecord, asString } from '../../base/json.ts'
import type { GivenKey } from '../../base/model.ts'
import { parseStrictJson } from '../../base/strict-json.ts'
import type { Own } from '../chain.ts'
import { malformed } from './refusals.ts'
import { checkTx } from './sol-checks.ts'
import { decodeMessage } from './sol-message.ts'
import type { SolTx } from './sol-tx.ts'

/** Reads the JSON of an unsigned transaction (protocol 7), which `own` must be able to sign. */
export function decodeSolJson(
  serialized: string,
  own: readonly string[],
  settings: Own['settings'],
): SolTx {
  const json = asRecord(parseStrictJson(serialized))
  if (json === undefined) throw malformed('transaction is not a JSON object')
  for (const name of json.keys()) {
    if (name === 'txData' || name === 'mintPK') continue
    const quoted = /^\w{1,32}$/.test(name) ? ` '${name}'` : ''
    throw malformed(`transaction has an unknown member${quoted}`)
  }
  const txData = fromHex(asString(json.get('txData')) ?? '-')
  if (txData === undefined) throw malformed('txData is not bytes in hex')
  const { message } = decodeMessage(txData)
  const mint = json.has('mintPK') ? readMint(json.get('mintPK')) : undefined
  const tx: SolTx = { message, ...(mint !== undefined && { mint }) }
  checkTx(tx, own, settings)
  return tx
}

/** Seed and public key, 32 bytes each; whether they belong together its signature shows. */
function readMint(value: unknown): GivenKey {
  const pair = fromHex(asString(value) ?? '-')
  if (pair?.length !== 64) throw malformed('mintPK is not 64 bytes in hex')
  return {
    privateKey: pair.slice(0, 32),
    publicKey: { curve: 'ed25519', bytes: pair.slice(32) },
  }
}
