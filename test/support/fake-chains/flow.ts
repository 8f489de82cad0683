import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { HDKey } from '@scure/bip32'
import { mnemonicToSeedSync } from '@scure/bip39'
import {
  domain,
  envelopeDigest,
  flowTxId,
  payloadDigest,
  type ReadFlow,
  readFlowRest,
  sha3,
} from '../flow-chain.ts'
import { membersOf } from '../members.ts'
import { recordedCases } from '../recorded-cases.ts'
import { verifyEcdsa } from '../secp256k1.ts'
import type { FakeChain, FakePending, FakeRead, Settled } from './fake-chain.ts'

/** Accounts of Tatum's: not those of the recorded cases. */
const proposer = { address: '10247089e55180c9', secret: secretOf('proposer') }
const payer = { address: '8ac1e3fa5a6b9f0e', secret: secretOf('payer') }
const keysLent = 8
const height = 1_000

const contracts = {
  mainnet: { FungibleToken: '0xf233dcee88fe0abe', FlowToken: '0x1654653399040a61' },
  testnet: { FungibleToken: '0x9a0766d93b6608b7', FlowToken: '0x7e60df042a9c0868' },
}

/** An access node and Tatum's service of signatures, as far as payments of Flow need them. */
export function createFlowNetwork() {
  /** Transactions that were carried out, by their ids. */
  const sealed = new Map<string, ReadFlow>()
  /** How often each key of the proposer was used. */
  const sequence = Array.from({ length: keysLent }, () => 0)
  const lent = new Set<number>()

  return {
    sealed,
    lent,
    lend(role: string) {
      if (role === 'true') return { keyId: 0, address: `0x${payer.address}` }
      const keyId = sequence.findIndex((_, key) => !lent.has(key))
      assert(keyId >= 0, 'every key is lent')
      lent.add(keyId)
      return { keyId, address: `0x${proposer.address}` }
    },
    release(keyId: unknown) {
      assert(lent.delete(Number(keyId)), 'this key was not lent')
    },
    sign(body: unknown) {
      const { data, isPayer } = membersOf(body)
      const message = Buffer.from(String(data), 'hex')
      assert(message.subarray(0, 32).equals(domain), 'not a transaction')
      const { secret } = isPayer ? payer : proposer
      const signature = secp256k1.sign(sha3(message), secret, { prehash: false, lowS: false })
      return { signature: Buffer.from(signature).toString('hex') }
    },
    account(address: string) {
      assert(address === proposer.address, 'no such account')
      const keys = sequence.map((count, index) => ({
        index: `${index}`,
        signing_algorithm: 'ECDSA_secp256k1',
        hashing_algorithm: 'SHA3_256',
        sequence_number: `${count}`,
        weight: '0',
        revoked: false,
      }))
      return { address, balance: '100000000', keys, contracts: {} }
    },
    take(body: unknown) {
      const tx = readFlowRest(body)
      const id = flowTxId(tx)
      const key = tx.proposer.keyIndex
      if (!sealed.has(id)) {
        verifySignatures(tx)
        assert(tx.referenceBlock === blockId, 'unknown reference block')
        assert(tx.proposer.sequenceNumber === sequence[key], 'another sequence number')
        sequence[key] = tx.proposer.sequenceNumber + 1
        sealed.set(id, tx)
      }
      return { id }
    },
    result: (id: string) => ({
      status: sealed.has(id) ? 'Sealed' : 'Pending',
      status_code: 0,
      error_message: '',
      execution: sealed.has(id) ? 'Success' : 'Pending',
    }),
  }
}

const blockId = createHash('sha256').update('block').digest('hex')

function verifySignatures(tx: ReadFlow): void {
  const [account, ...others] = tx.authorizers
  assert(account !== undefined && others.length === 0, 'not with one authorizer')
  assert(tx.gasLimit === 9_999, 'with another limit')
  const [proposed, ours, ...more] = tx.payloadSignatures
  const [paid, ...evenMore] = tx.envelopeSignatures
  assert(more.length === 0 && evenMore.length === 0, 'with more signatures')
  const { address, keyIndex } = tx.proposer
  assert(proposed?.address === address && proposed.keyIndex === keyIndex, 'nobody proposed it')
  assert(ours?.address === account && ours.keyIndex === 0, 'its owner did not sign it')
  assert(paid?.address === payer.address && paid.keyIndex === 0, 'nobody pays for it')
  const inside = payloadDigest(tx)
  assert(verifies(proposed.signature, inside, publicKeyOf(proposer.secret)), 'a wrong proposer')
  assert(verifies(paid.signature, envelopeDigest(tx), publicKeyOf(payer.secret)), 'a wrong payer')
  const isOwner = ownersKeys().some(key => verifies(ours.signature, inside, key))
  assert(isOwner, 'a signature of its owner that does not verify')
}

/** Flow takes both values of s. */
function verifies(signature: string, digest: Uint8Array, key: Uint8Array): boolean {
  if (signature.length !== 128) return false
  const [r, s] = [signature.slice(0, 64), signature.slice(64)].map(digits => BigInt(`0x${digits}`))
  return r !== undefined && s !== undefined && verifyEcdsa({ r, s }, digest, key)
}

let known: readonly Uint8Array[] | undefined

/** Accounts do not follow from keys: those of the recorded wallets may sign for each account. */
function ownersKeys(): readonly Uint8Array[] {
  known ??= recordedCases('FLOW').flatMap(({ wallets, pending }) =>
    Object.values(wallets).map(({ privateKey, mnemonic }) => {
      if (mnemonic === undefined) return publicKeyOf(Buffer.from(privateKey ?? '', 'hex'))
      const node = HDKey.fromMasterSeed(mnemonicToSeedSync(mnemonic)).derive("m/44'/539'/0'/0")
      return node.deriveChild(pending.index ?? 0).publicKey ?? new Uint8Array()
    }),
  )
  return known
}

function publicKeyOf(secret: Uint8Array): Uint8Array {
  return secp256k1.getPublicKey(secret)
}

function secretOf(name: string): Uint8Array {
  return createHash('sha256').update(`the ${name} of Flow's sandbox`).digest()
}

const network = createFlowNetwork()

const reads: readonly FakeRead[] = [
  {
    route: 'read',
    method: 'GET',
    path: '/v3/flow/proposal/:id',
    answer: (_world, { params }) => network.lend(params.id ?? ''),
  },
  {
    route: 'read',
    method: 'POST',
    path: '/v3/flow/sign',
    answer: (_world, { body }) => network.sign(body),
  },
  {
    route: 'node',
    method: 'GET',
    path: '/v1/network/parameters',
    answer: world => ({ chain_id: `flow-${world.network}` }),
  },
  {
    route: 'node',
    method: 'GET',
    path: '/v1/blocks',
    answer: () => [{ header: { id: blockId, height: `${height}` } }],
  },
  {
    route: 'node',
    method: 'GET',
    path: '/v1/accounts/:address',
    answer: (_world, { params }) => network.account(params.address ?? ''),
  },
  {
    route: 'node',
    method: 'POST',
    path: '/v1/transactions',
    answer: (_world, { body }) => network.take(body),
  },
  {
    route: 'node',
    method: 'GET',
    path: '/v1/transaction_results/:id',
    answer: (_world, { params }) => network.result(params.id ?? ''),
  },
]

/** Flow: transactions go to an access node, and Tatum hears of their ids. */
export const flowNetwork: FakeChain = {
  broadcastPath: '/v3/flow/broadcast',
  offchain: false,
  errorCode: 'flow.broadcast.failed',
  reads,
  isRelease(body) {
    const { proposalKey } = membersOf(body)
    if (proposalKey !== undefined) network.release(proposalKey)
    return proposalKey !== undefined
  },
  async verify(txData, pending, world) {
    const tx = network.sealed.get(txData)
    assert(tx !== undefined, 'no transaction with this id is on chain')
    return settle(txData, tx, pending, contracts[world])
  },
}

function settle(
  txId: string,
  { script, args, authorizers }: ReadFlow,
  { serializedTransaction }: FakePending,
  { FungibleToken, FlowToken }: (typeof contracts)['mainnet'],
): Settled {
  const { type, body } = JSON.parse(String(serializedTransaction))
  const from = authorizers.map(address => `0x${address}`)
  assert.deepEqual(from, [body.account], 'for another account')
  if (type !== 2) {
    assert(script === body.transaction, 'another script than asked for')
    return { txId, from, paid: [], claims: [] }
  }
  assert(script.includes(`import FungibleToken from ${FungibleToken}\n`), 'another contract')
  assert(script.includes(`import FlowToken from ${FlowToken}\n`), 'another token')
  assert(script.includes('transaction(amount: UFix64, to: Address) {'), 'another script')
  const [amount, to, ...rest] = args
  assert(amount?.type === 'UFix64' && to?.type === 'Address' && rest.length === 0, 'other values')
  assert(Number(amount.value) === Number(body.amount), 'another amount than asked for')
  assert(to.value === body.to, 'another recipient than asked for')
  const units = BigInt(String(amount.value).replace('.', ''))
  return { txId, from, paid: [{ to: body.to, amount: units, asset: 'FLOW' }], claims: [] }
}
