import assert from 'node:assert/strict'
import {
  FeeBumpTransaction,
  Keypair,
  Networks,
  type Transaction,
  TransactionBuilder,
} from '@stellar/stellar-base'
import type { Network } from '../../../src/base/model.ts'
import type { FakeChain, FakePending, Settled } from './fake-chain.ts'

const passphrases = { mainnet: Networks.PUBLIC, testnet: Networks.TESTNET } as const

/** Stellar, read by the classes that wallets are written with. */
export const stellar: FakeChain = {
  broadcastPath: '/v3/xlm/broadcast',
  offchain: false,
  errorCode: 'stellar.broadcast.failed',
  verify: async (txData, pending, network) => settle(txData, pending, network),
}

function settle(txData: string, pending: FakePending, network: Network): Settled {
  const tx = readPlain(txData, network)
  const asked = readPlain(String(pending.serializedTransaction), network)
  assert(tx.hash().equals(asked.hash()), 'not what was asked for')
  const [signature, ...rest] = tx.signatures
  assert(signature !== undefined && rest.length === 0, 'not with one signature')
  const key = Keypair.fromPublicKey(tx.source)
  assert(signature.hint().equals(key.signatureHint()), 'with the hint of another key')
  assert(key.verify(tx.hash(), signature.signature()), 'a signature that does not verify')
  return {
    txId: tx.hash().toString('hex'),
    from: [tx.source],
    paid: tx.operations.flatMap(operation => {
      if (operation.type === 'createAccount') {
        const { destination: to, startingBalance } = operation
        return [{ to, amount: stroops(startingBalance), asset: 'XLM' }]
      }
      if (operation.type !== 'payment') return []
      const { destination: to, amount, asset } = operation
      const name = asset.isNative() ? 'XLM' : `XLM:${asset.code}.${asset.issuer}`
      return [{ to, amount: stroops(amount), asset: name }]
    }),
    claims: [`sequence/${tx.source}/${tx.sequence}`],
  }
}

function readPlain(envelope: string, network: Network): Transaction {
  const tx = TransactionBuilder.fromXDR(envelope, passphrases[network])
  assert(!(tx instanceof FeeBumpTransaction), 'a fee bump')
  return tx
}

/** The library writes amounts with seven decimals. */
function stroops(amount: string): bigint {
  return BigInt(amount.replace('.', ''))
}
