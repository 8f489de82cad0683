import assert from 'node:assert/strict'
import type { Network } from '../../../src/base/model.ts'
import { hash160, type ReadTransaction, readTransaction, witnessDigest } from '../bitcoin-reader.ts'
import { cashaddrOfScript } from '../cashaddr.ts'
import { verifyBchSchnorr } from '../secp256k1.ts'
import type { FakeChain, FakePending, Settled } from './fake-chain.ts'

const prefixes = { mainnet: 'bitcoincash', testnet: 'bchtest' }

export const bitcoinCash: FakeChain = {
  broadcastPath: '/v3/bcash/broadcast',
  offchain: true,
  errorCode: 'blockchain.broadcast.error',
  verify: async (txData, pending, network) => settleBch(txData, pending, network),
}

/** Throws an Error unless these bytes do what was asked, each input signed by its own P2PKH key. */
export function settleBch(
  txData: string,
  pending: Pick<FakePending, 'serializedTransaction'>,
  network: Network,
): Settled {
  const [unsigned = '', list = ''] = String(pending.serializedTransaction).split(/:(.*)/s)
  const asked = readTransaction(unsigned.toLowerCase())
  const amounts: readonly number[] = JSON.parse(list)
  const tx = readTransaction(txData)
  assert(tx.version === 2 && !tx.hasWitness, 'not of version 2, or with a witness')
  assert(tx.lockTime === asked.lockTime, 'another lock time than asked for')
  assert.deepEqual(tx.outputs, asked.outputs, 'other outputs than asked for')
  assert.deepEqual(tx.inputs.map(spent), asked.inputs.map(spent), 'other inputs than asked for')
  const scripts = tx.inputs.map((_, at) => verifyBchSpend(tx, at, BigInt(amounts[at] ?? -1)))
  const addressOf = (script: string) => cashaddrOfScript(script, prefixes[network])
  return {
    txId: tx.txId,
    from: [...new Set(scripts.map(addressOf))],
    paid: tx.outputs.map(({ amount, script }) => ({ to: addressOf(script), amount, asset: 'BCH' })),
    claims: tx.inputs.map(({ txId, index }) => `output/${txId}:${index}`),
  }
}

function spent({ txId, index, sequence }: ReadTransaction['inputs'][number]) {
  return { txId, index, sequence }
}

/** Answers the script that input `at` proves to own: that of its key's hash. */
function verifyBchSpend(tx: ReadTransaction, at: number, amount: bigint): string {
  const scriptSig = tx.inputs[at]?.scriptSig.toString('hex') ?? ''
  const [, signature = '', publicKey = ''] =
    /^41([0-9a-f]{128})41(?:21(?=.{66}$)|41(?=.{130}$))([0-9a-f]+)$/.exec(scriptSig) ?? []
  const key = Buffer.from(publicKey, 'hex')
  const script = `76a914${hash160(key).toString('hex')}88ac`
  const digest = witnessDigest(tx, at, Buffer.from(script, 'hex'), amount, 0x41)
  const valid = verifyBchSchnorr(Buffer.from(signature, 'hex'), digest, key)
  assert(valid, `input ${at} has no signature that verifies`)
  return script
}
