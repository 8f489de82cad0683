import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import type { Network } from '../../../src/base/model.ts'
import { bech32Of } from '../bech32.ts'
import { type ReadTransfer, readBnb, sortedJson } from '../bnb-reader.ts'
import type { FakeChain, FakePending, Settled } from './fake-chain.ts'

const prefixes = { mainnet: 'bnb', testnet: 'tbnb' }
const chainIds = { mainnet: 'Binance-Chain-Tigris', testnet: 'Binance-Chain-Ganges' }
/** Of every account of the sandbox. */
const accountNumber = 12

/** The Beacon Chain as it was. */
export const beaconChain: FakeChain = {
  broadcastPath: '/v3/bnb/broadcast',
  offchain: false,
  errorCode: 'bnb.broadcast.failed',
  reads: [
    {
      route: 'read',
      method: 'GET',
      path: '/v3/bnb/account/:address',
      answer({ countNonces }, { params: { address = '' } }) {
        const sequence = countNonces(address)
        return { account_number: accountNumber, address, balances: [], public_key: null, sequence }
      },
    },
  ],
  async verify(txData, pending, network) {
    const tx = readBnb(txData, prefixes[network])
    assert(tx.accountNumber === BigInt(accountNumber), 'for another account')
    return settleBnb(tx, pending, network)
  },
}

/** Throws an Error unless this is what was asked for, signed by the one who pays. */
export function settleBnb(
  tx: ReadTransfer,
  pending: Pick<FakePending, 'serializedTransaction'>,
  network: Network,
): Settled {
  const { signMsg, memo } = JSON.parse(String(pending.serializedTransaction))
  const { inputs, outputs, publicKey, signature, sequence } = tx
  const from = addressOf(publicKey, network)
  const said = JSON.stringify({ inputs, outputs }, (_, value) =>
    typeof value === 'bigint' ? Number(value) : value,
  )
  assert(sortedJson(JSON.parse(said)) === sortedJson(signMsg), 'not what was asked for')
  assert(tx.memo === (memo ?? ''), 'another memo than asked for')
  assert(inputs.length === 1 && inputs[0]?.address === from, 'signed by somebody else')
  const digest = createHash('sha256')
    .update(signedText(tx, signMsg, network))
    .digest()
  // noble refuses a high s here, as the chain did.
  const isValid = secp256k1.verify(signature, digest, publicKey, { prehash: false })
  assert(isValid, 'a signature that does not verify')
  return {
    txId: tx.txId,
    from: [from],
    paid: outputs.flatMap(({ address: to, coins }) =>
      coins.map(({ denom, amount }) => ({
        to,
        amount,
        asset: denom === 'BNB' ? denom : `BNB:${denom}`,
      })),
    ),
    claims: [`nonce/${from}/${sequence}`],
  }
}

function signedText(tx: ReadTransfer, signMsg: unknown, network: Network): string {
  return sortedJson({
    chain_id: chainIds[network],
    account_number: `${tx.accountNumber}`,
    sequence: `${tx.sequence}`,
    memo: tx.memo,
    msgs: [signMsg],
    data: null,
    source: '0',
  })
}

function addressOf(publicKey: Uint8Array, network: Network): string {
  const hash = createHash('sha256').update(publicKey).digest()
  return bech32Of(prefixes[network], createHash('ripemd160').update(hash).digest())
}
