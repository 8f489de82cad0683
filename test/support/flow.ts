import { secp256k1 } from '@noble/curves/secp256k1.js'
import type { Completion, Network, PendingTx, Signature } from '../../src/base/model.ts'
import type { ChainSettings, Own, Prepared } from '../../src/chains/chain.ts'
import { flow } from '../../src/chains/flow.ts'
import { defaultSettings } from '../../src/chains/settings.ts'
import { pendingOf } from './evm.ts'
import { movedAddresses } from './flow-address.ts'

export const key = new Uint8Array(32).fill(7)
export const account = '0x955cd3f17b2fd8ad'
export const to = '0x2d0d7b39db4e3a08'
/** x‖y of the generator of secp256k1: SEC 2, 2.4.1. */
export const publicKey =
  '79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8'

export const completion = {
  referenceBlock: 'c5'.repeat(32),
  proposer: '0x10247089e55180c9',
  proposerKeyId: '17',
  sequenceNumber: '57',
  payer: '0x8ac1e3fa5a6b9f0e',
  payerKeyId: '0',
} as const

/** Bodies of the types that Tatum has, by their names. */
export const payments = {
  transfer: { type: 2, body: { account, to, amount: '1.5', currency: 'FLOW' } },
  fusd: { type: 2, body: { account, to, amount: '1.5', currency: 'FUSD' } },
  createAccount: { type: 0, body: { account, publicKey } },
  addKey: { type: 1, body: { account, publicKey } },
  transferNft: {
    type: 7,
    body: { account, to, tokenId: '12', contractAddress: 'a', chain: 'FLOW' },
  },
  custom: {
    type: 8,
    body: {
      account,
      transaction: 'transaction(n: UInt64) { prepare(signer: &Account) { log(n) } }',
      args: [{ type: 'UInt64', value: '7' }],
    },
  },
} as const

/** The same payment of the same accounts' namesakes, whose addresses are others on each network. */
export function paymentOn<Payment>(network: Network, payment: Payment): Payment {
  return JSON.parse(movedAddresses(JSON.stringify(payment), network))
}

export function ownOf(
  flowScripts: ChainSettings['flowScripts'] = 'cadence1',
  network: Network = 'testnet',
  secret: Uint8Array = key,
): Own {
  const bytes = secp256k1.getPublicKey(secret)
  return {
    network,
    keys: [{ curve: 'secp256k1', bytes }],
    settings: { ...defaultSettings, flowScripts },
  }
}

export function prepare(
  json: unknown,
  own: Own = ownOf(),
  added: Completion = completion,
  more: Partial<PendingTx> = {},
): Prepared {
  return flow.prepare(pendingOf(flow, json, more), own, added)
}

/** What the signer does in earnest: s as it comes. */
export function signaturesOf(
  { requests }: Prepared,
  secret: Uint8Array = key,
): readonly Signature[] {
  return requests.map(({ message }) => {
    const options = { prehash: false, lowS: false, format: 'recovered' } as const
    const signed = secp256k1.sign(message, secret, options)
    return { bytes: signed.subarray(1), recovery: signed[0] ?? -1 }
  })
}

export function signFlow(json: unknown, own: Own = ownOf(), added: Completion = completion) {
  const prepared = prepare(json, own, added)
  return prepared.seal(signaturesOf(prepared))
}
