import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { HDKey } from '@scure/bip32'
import { mnemonicToSeedSync } from '@scure/bip39'
import { movedAddresses } from '../flow-address.ts'
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

const contracts = {
  mainnet: { FungibleToken: '0xf233dcee88fe0abe', FlowToken: '0x1654653399040a61' },
  testnet: { FungibleToken: '0x9a0766d93b6608b7', FlowToken: '0x7e60df042a9c0868' },
}

/** An access node and Tatum's service of signatures, as far as payments of Flow need them. */
export type FlowNetwork = {
  /** Transactions that were carried out, by their ids. */
  readonly sealed: Map<string, ReadFlow>
  /** Keys of the proposer that belong to a payment. */
  readonly lent: Set<number>
  /** @param request method and path */
  answer(request: string, body?: unknown): unknown
}

export function createFlowNetwork(): FlowNetwork {
  const sealed: FlowNetwork['sealed'] = new Map()
  const lent: FlowNetwork['lent'] = new Set()
  /** Ids of transactions whose key was given back. */
  const released = new Set<unknown>()
  /** How often each key of the proposer was used. */
  const used = Array.from({ length: keysLent }, () => 0)

  const answers: Readonly<Record<string, (last: string, body: unknown) => unknown>> = {
    'GET /v3/flow/proposal/true': () => ({ keyId: 0, address: `0x${payer.address}` }),
    'GET /v3/flow/proposal/false'() {
      const free = used.findIndex((_, key) => !lent.has(key))
      // Who was killed gives nothing back: there is always one more.
      const keyId = free < 0 ? used.push(0) - 1 : free
      lent.add(keyId)
      return { keyId, address: `0x${proposer.address}` }
    },
    'POST /v3/flow/sign': (_last, body) => sign(body),
    'POST /v3/flow/broadcast'(_last, body) {
      const { txData, proposalKey } = membersOf(body)
      // Told of twice it is somebody else's by now.
      if (!released.has(txData)) lent.delete(Number(proposalKey))
      released.add(txData)
      return { txId: 'released' }
    },
    'GET /v1/network/parameters': () => ({ chain_id: 'flow-testnet' }),
    'GET /v1/blocks': () => [{ header: { id: blockId, height: '1000' } }],
    'GET /v1/accounts/*'(address) {
      const account = [proposer, payer].find(known => known.address === address)
      assert(account !== undefined, 'no such account')
      const counts = account === proposer ? used : [0]
      const keys = counts.map((count, index) => accountKey(account.secret, index, count))
      return { address, keys, contracts: {} }
    },
    'POST /v1/transactions'(_last, body) {
      const tx = readFlowRest(body)
      const id = flowTxId(tx)
      if (!sealed.has(id)) {
        verifySignatures(tx)
        const { keyIndex, sequenceNumber } = tx.proposer
        assert(tx.referenceBlock === blockId, 'unknown reference block')
        assert(sequenceNumber === used[keyIndex], 'another sequence number')
        used[keyIndex] = sequenceNumber + 1
        sealed.set(id, tx)
      }
      return { id }
    },
    'GET /v1/transaction_results/*': id => ({
      status: sealed.has(id) ? 'Sealed' : 'Pending',
      status_code: 0,
      error_message: '',
    }),
  }
  return {
    sealed,
    lent,
    answer(request, body) {
      const [path = ''] = request.split('?')
      const last = path.slice(path.lastIndexOf('/') + 1)
      const answer = answers[path] ?? answers[path.replace(/[^/]*$/, '*')]
      assert(answer !== undefined, `nobody answers ${path}`)
      return answer(last, body)
    },
  }
}

/** A key of an account as access nodes tell of it. */
function accountKey(secret: Uint8Array, index: number, count: number) {
  const point = secp256k1.getPublicKey(secret, false).subarray(1)
  return {
    index: `${index}`,
    public_key: `0x${Buffer.from(point).toString('hex')}`,
    signing_algorithm: 'ECDSA_secp256k1',
    hashing_algorithm: 'SHA3_256',
    sequence_number: `${count}`,
    weight: '1000',
    revoked: false,
  }
}

function sign(body: unknown) {
  const { data, isPayer } = membersOf(body)
  const message = Buffer.from(String(data), 'hex')
  assert(message.subarray(0, 32).equals(domain), 'not a transaction')
  const { secret } = isPayer ? payer : proposer
  const signature = secp256k1.sign(sha3(message), secret, { prehash: false, lowS: false })
  return { signature: Buffer.from(signature).toString('hex') }
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

const reads: readonly FakeRead[] = (
  [
    ['read', 'GET', '/v3/flow/proposal/:id'],
    ['read', 'POST', '/v3/flow/sign'],
    ['node', 'GET', '/v1/network/parameters'],
    ['node', 'GET', '/v1/blocks'],
    ['node', 'GET', '/v1/accounts/:address'],
    ['node', 'POST', '/v1/transactions'],
    ['node', 'GET', '/v1/transaction_results/:id'],
  ] as const
).map(([route, method, path]) => ({
  route,
  method,
  path,
  answer(world, { params, body }) {
    if (path === '/v1/network/parameters') return { chain_id: `flow-${world.network}` }
    const named = path.replace(/:(\w+)/, (_, name: 'id' | 'address') => params[name] ?? '')
    return network.answer(`${method} ${named}`, body)
  },
}))

/** Flow: transactions go to an access node, and Tatum hears of their ids. */
export const flowNetwork: FakeChain = {
  broadcastPath: '/v3/flow/broadcast',
  offchain: false,
  errorCode: 'flow.broadcast.failed',
  reads,
  onNetwork: movedAddresses,
  isRelease(body) {
    const isOne = membersOf(body)['proposalKey'] !== undefined
    if (isOne) network.answer('POST /v3/flow/broadcast', body)
    return isOne
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
