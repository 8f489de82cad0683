import assert from 'node:assert/strict'
import { Address, OutScript } from '@scure/btc-signer'
import type { Network } from '../../../src/base/model.ts'
import { type ReadTransaction, readTransaction } from '../bitcoin-reader.ts'
import { verifySpend } from '../bitcoin-spends.ts'
import { bitcoinNode } from './bitcoin-node.ts'
import type { FakeChain, FakePending, Settled } from './fake-chain.ts'

type RequestedOutput = { readonly satoshis: number; readonly script: string }
type BitcoinRequest = {
  readonly version: number
  readonly nLockTime: number
  readonly inputs: readonly {
    readonly prevTxId: string
    readonly outputIndex: number
    readonly sequenceNumber?: number
    readonly output: RequestedOutput
  }[]
  readonly outputs: readonly RequestedOutput[]
}

type Asset = 'BTC' | 'LTC' | 'DOGE'
type AddressNumbers = Parameters<typeof Address>[0]

const addresses: Readonly<Record<Asset, Readonly<Record<Network, AddressNumbers>>>> = {
  BTC: {
    mainnet: { pubKeyHash: 0x00, scriptHash: 0x05, bech32: 'bc', wif: 0x80 },
    testnet: { pubKeyHash: 0x6f, scriptHash: 0xc4, bech32: 'tb', wif: 0xef },
  },
  LTC: {
    mainnet: { pubKeyHash: 0x30, scriptHash: 0x32, bech32: 'ltc', wif: 0xb0 },
    testnet: { pubKeyHash: 0x6f, scriptHash: 0x3a, bech32: 'tltc', wif: 0xef },
  },
  DOGE: {
    mainnet: { pubKeyHash: 0x1e, scriptHash: 0x16, bech32: '', wif: 0x9e },
    testnet: { pubKeyHash: 0x71, scriptHash: 0xc4, bech32: '', wif: 0xf1 },
  },
}

/** A chain of Bitcoin's kind, without anything to complete. */
export function bitcoinLike(asset: Asset, slug: string): FakeChain {
  return {
    broadcastPath: `/v3/${slug}/broadcast`,
    offchain: true,
    errorCode: 'blockchain.broadcast.error',
    reads: [bitcoinNode(slug)],
    verify: async (txData, pending, network) => settle(asset, txData, pending, network),
  }
}

/** Throws an Error unless these bytes do what was asked, and can be mined. */
export function settle(
  asset: Asset,
  txData: string,
  pending: Pick<FakePending, 'serializedTransaction'>,
  network: Network,
): Settled {
  const asked: BitcoinRequest = JSON.parse(String(pending.serializedTransaction))
  const tx = readTransaction(txData)
  assert(asset !== 'DOGE' || !tx.hasWitness, 'a witness on a chain without segwit')
  assert(tx.version === asked.version, 'another version than asked for')
  assert(tx.lockTime === asked.nLockTime, 'another lock time than asked for')
  assert(tx.inputs.length === asked.inputs.length, 'another number of inputs than asked for')
  assert(tx.outputs.length === asked.outputs.length, 'another number of outputs than asked for')
  const claims = asked.inputs.map((input, at) => verifyInput(tx, at, input))
  const paid = tx.outputs.map(({ amount, script }, at) => {
    assert(amount === BigInt(asked.outputs[at]?.satoshis ?? -1), `output ${at} pays another amount`)
    assert(script === asked.outputs[at]?.script, `output ${at} pays somebody else`)
    return { to: addressOf(asset, network, script), amount, asset }
  })
  const spent = asked.inputs.map(({ output }) => addressOf(asset, network, output.script))
  return { txId: tx.txId, from: [...new Set(spent)], paid, claims }
}

/** Answers the claim on the output that is spent. */
function verifyInput(tx: ReadTransaction, at: number, asked: BitcoinRequest['inputs'][number]) {
  const { txId, index, sequence } = tx.inputs[at] ?? {}
  const { prevTxId, outputIndex, sequenceNumber = 0xffff_ffff, output } = asked
  const spends = `${txId}:${index}`
  assert(spends === `${prevTxId}:${outputIndex}`, `input ${at} spends something else`)
  assert(sequence === sequenceNumber, `input ${at} has another sequence number`)
  verifySpend(tx, at, { amount: BigInt(output.satoshis), script: output.script })
  return `output/${spends}`
}

function addressOf(asset: Asset, network: Network, script: string): string {
  try {
    return Address(addresses[asset][network]).encode(OutScript.decode(Buffer.from(script, 'hex')))
  } catch {
    return `script ${script}`
  }
}
