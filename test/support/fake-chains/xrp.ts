import assert from 'node:assert/strict'
import { decode, deriveAddress, hashes, verifySignature } from 'xrpl'
import { membersOf } from '../members.ts'
import type { FakeChain, FakePending, Settled } from './fake-chain.ts'

/** The XRP Ledger, read and verified by what xrpl offers for signed transactions. */
export const xrpLedger: FakeChain = {
  broadcastPath: '/v3/xrp/broadcast',
  offchain: false,
  errorCode: 'xrp.broadcast.failed',
  verify: async (txData, pending) => settle(txData, pending),
}

function settle(txData: string, pending: FakePending): Settled {
  assert(/^[0-9A-F]+$/.test(txData), 'not upper-case hex')
  assert(verifySignature(txData), 'a signature that does not verify')
  const { TxnSignature, SigningPubKey, ...tx } = membersOf(decode(txData))
  assert.deepEqual(tx, JSON.parse(String(pending.serializedTransaction)), 'not what was asked for')
  const { Account, Sequence } = tx
  assert(deriveAddress(String(SigningPubKey)) === Account, 'signed with the key of somebody else')
  return {
    txId: hashes.hashSignedTx(txData),
    from: [String(Account)],
    paid: tx['TransactionType'] === 'Payment' ? [payment(tx)] : [],
    claims: [`sequence/${Account}/${Sequence}`],
  }
}

function payment({ Destination, DestinationTag: tag, Amount }: Readonly<Record<string, unknown>>) {
  const to = tag === undefined ? `${Destination}` : `${Destination}?tag=${tag}`
  if (typeof Amount === 'string') return { to, amount: BigInt(Amount), asset: 'XRP' }
  const { currency, issuer, value } = membersOf(Amount)
  const [whole = '', fraction = ''] = String(value).split('.')
  const amount = BigInt(whole + fraction.padEnd(96, '0'))
  return { to, amount, asset: `XRP:${currency}.${issuer}` }
}
