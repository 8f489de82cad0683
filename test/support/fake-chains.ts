import assert from 'node:assert/strict'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { Address, NETWORK, OutScript, TEST_NETWORK, Transaction } from '@scure/btc-signer'
import { RawOldTx } from '@scure/btc-signer/script.js'
import { hash160 } from '@scure/btc-signer/utils.js'
import {
  decodeFunctionData,
  erc20Abi,
  type Hex,
  isHex,
  keccak256,
  parseTransaction,
  recoverTransactionAddress,
} from 'viem'
import type { Network } from '../../src/base/model.ts'

/** A pending transaction as the API hands it out; members of any form, for hostile ones. */
export type FakePending = {
  readonly id: string
  readonly chain: string
  readonly hashes?: unknown
  readonly signatures?: unknown
  readonly serializedTransaction?: unknown
  readonly withdrawalId?: unknown
  readonly [member: string]: unknown
}

/** What signed bytes do, read by a library that had no part in making them. */
export type Settled = {
  readonly txId: string
  readonly from: readonly string[]
  readonly paid: readonly { readonly to: string; readonly amount: bigint; readonly asset: string }[]
  /** What only one transaction can use up: `nonce/<address>/<number>`, `output/<txid>:<index>`. */
  readonly claims: readonly string[]
}

export type FakeChain = {
  readonly broadcastPath: string
  /** Its virtual-account payments go to the common off-chain endpoint (protocol 1.5). */
  readonly offchain: boolean
  /** How the API calls a transaction it will not send on (protocol 1.7). */
  readonly errorCode: string
  /** JSON-RPC and nonce counts, for chains that are completed before they are signed. */
  readonly node?: {
    readonly rpcPath: string
    readonly countPath: string
    readonly chainId: Readonly<Record<Network, number>>
  }
  /** Throws an Error that says why these bytes do not pay what was asked. */
  verify(txData: string, pending: FakePending, network: Network): Promise<Settled>
}

/** A chain of the sandbox is its line here. */
export const fakeChains: Readonly<Record<string, FakeChain>> = {
  BTC: bitcoinLike('BTC', 'bitcoin'),
  ETH: ethereumLike('ETH', 'ethereum', { mainnet: 1, testnet: 11_155_111 }),
}

function ethereumLike(
  asset: string,
  slug: string,
  chainId: Readonly<Record<Network, number>>,
): FakeChain {
  return {
    broadcastPath: `/v3/${slug}/broadcast`,
    offchain: asset === 'ETH',
    errorCode: 'ethereum.broadcast.failed',
    node: {
      rpcPath: `/v3/${slug}/web3/:apiKey`,
      countPath: `/v3/${slug}/transaction/count/:address`,
      chainId,
    },
    async verify(txData, pending, network) {
      assert(isHex(txData), 'not hex with 0x')
      const serialized = txData as `0x02${string}`
      const tx: EvmTransaction = parseTransaction(txData)
      assert(tx.r !== undefined, 'not signed')
      // EIP-2: nodes refuse the other of the two values of s that verify.
      assert(BigInt(tx.s ?? 0) <= secp256k1.Point.Fn.ORDER / 2n, 'with a high s')
      assert(tx.chainId === chainId[network], 'for another chain id')
      const asked = JSON.parse(String(pending.serializedTransaction))
      assert(tx.to?.toLowerCase() === asked.to?.toLowerCase(), 'another recipient than asked for')
      assert((tx.value ?? 0n) === BigInt(asked.value ?? 0), 'another amount than asked for')
      assert(plainHex(tx.data) === plainHex(asked.data ?? asked.input), 'other data than asked for')
      const from = (
        await recoverTransactionAddress({ serializedTransaction: serialized })
      ).toLowerCase()
      return {
        txId: keccak256(txData),
        from: [from],
        paid: evmPayments(tx, asset),
        claims: [`nonce/${from}/${tx.nonce ?? 0}`],
      }
    },
  }
}

type EvmTransaction = {
  readonly to?: Hex | null | undefined
  readonly value?: bigint | undefined
  readonly data?: Hex | undefined
  readonly nonce?: number | undefined
  readonly chainId?: number | undefined
  readonly r?: Hex | undefined
  readonly s?: Hex | undefined
}

function evmPayments({ to, value = 0n, data }: EvmTransaction, asset: string): Settled['paid'] {
  const recipient = to?.toLowerCase() ?? 'a new contract'
  const coins = value > 0n ? [{ to: recipient, amount: value, asset }] : []
  if (!data?.startsWith('0xa9059cbb')) return coins
  const call = decodeFunctionData({ abi: erc20Abi, data })
  if (call.functionName !== 'transfer') return coins
  const [tokenRecipient, amount] = call.args
  return [...coins, { to: tokenRecipient.toLowerCase(), amount, asset: `${asset}:${recipient}` }]
}

function plainHex(text: unknown): string {
  return String(text ?? '')
    .replace(/^0x/, '')
    .toLowerCase()
}

type SpentOutput = { readonly satoshis: number; readonly script: string }
type BitcoinRequest = {
  readonly nLockTime: number
  readonly inputs: readonly {
    readonly prevTxId: string
    readonly outputIndex: number
    readonly sequenceNumber: number
    readonly output: SpentOutput
  }[]
  readonly outputs: readonly SpentOutput[]
}

function bitcoinLike(asset: string, slug: string): FakeChain {
  return {
    broadcastPath: `/v3/${slug}/broadcast`,
    offchain: true,
    errorCode: 'blockchain.broadcast.error',
    async verify(txData, pending, network) {
      const asked: BitcoinRequest = JSON.parse(String(pending.serializedTransaction))
      const tx = Transaction.fromRaw(Buffer.from(txData, 'hex'), {
        allowUnknownInputs: true,
        allowUnknownOutputs: true,
        disableScriptCheck: true,
      })
      assert(tx.inputsLength === asked.inputs.length, 'another number of inputs than asked for')
      assert(tx.lockTime === asked.nLockTime, 'another lock time than asked for')
      assert(tx.outputsLength === asked.outputs.length, 'another number of outputs than asked for')
      const spent = asked.inputs.map((input, at) => verifyInput(tx, at, input))
      const paid = asked.outputs.map((output, at) => {
        const { amount, script } = tx.getOutput(at)
        assert(amount === BigInt(output.satoshis), `output ${at} pays another amount`)
        assert(toHex(script) === output.script, `output ${at} pays somebody else`)
        return { to: scriptAddress(output.script, network), amount: BigInt(output.satoshis), asset }
      })
      const from = [
        ...new Set(asked.inputs.map(input => scriptAddress(input.output.script, network))),
      ]
      return { txId: tx.id, from, paid, claims: spent }
    },
  }
}

/** Checks one input's signature against the output it spends; answers the claim on that output. */
function verifyInput(tx: Transaction, at: number, asked: BitcoinRequest['inputs'][number]): string {
  const { txid, index, sequence, finalScriptSig, finalScriptWitness } = tx.getInput(at)
  const spends = `${toHex(txid)}:${index}`
  assert(spends === `${asked.prevTxId}:${asked.outputIndex}`, `input ${at} spends something else`)
  assert(sequence === asked.sequenceNumber, `input ${at} has another sequence number`)

  // Beside witness inputs a legacy one has an empty witness.
  const isLegacy = !finalScriptWitness?.length
  const [signature, publicKey] = isLegacy ? pushes(finalScriptSig) : finalScriptWitness
  assert(signature !== undefined && publicKey !== undefined, `input ${at} is not signed`)
  const { script, scriptSig, code } = unlocking(asked.output.script, signature, publicKey)
  assert(script !== undefined, `input ${at} is signed with a key that does not own it`)
  assert(toHex(finalScriptSig) === scriptSig, `input ${at} has a malformed scriptSig`)

  const digest =
    script === 'legacy'
      ? legacyDigest(tx, at, code)
      : tx.preimageWitnessV0(at, code, 1, BigInt(asked.output.satoshis))
  assert(signature.at(-1) === 1, `input ${at} does not sign all of the transaction`)
  const der = signature.subarray(0, -1)
  const valid = secp256k1.verify(der, digest, publicKey, { prehash: false, format: 'der' })
  assert(valid, `input ${at} has a signature that does not verify`)
  return `output/${spends}`
}

/** How this key spends that script: the scriptSig it takes (BIP 141), and the code that is signed. */
function unlocking(spent: string, signature: Uint8Array, publicKey: Uint8Array) {
  const hash = hash160(publicKey)
  const code = OutScript.encode({ type: 'pkh', hash })
  const program = OutScript.encode({ type: 'wpkh', hash })
  const nested = OutScript.encode({ type: 'sh', hash: hash160(program) })
  const both = push(signature) + push(publicKey)
  if (spent === toHex(code)) return { script: 'legacy', scriptSig: both, code } as const
  if (spent === toHex(program)) return { script: 'witness', scriptSig: '', code } as const
  if (spent === toHex(nested)) return { script: 'nested', scriptSig: push(program), code } as const
  return { script: undefined, scriptSig: '', code }
}

/** In hex. Signatures, keys and programs are below 76 bytes, where the opcode is the length. */
function push(bytes: Uint8Array): string {
  return toHex(Uint8Array.of(bytes.length, ...bytes))
}

/** What SIGHASH_ALL signs before segwit: the transaction with the spent script in place of its signature. */
function legacyDigest(tx: Transaction, signed: number, script: Uint8Array): Uint8Array {
  const inputs = range(tx.inputsLength).map(at => {
    const { txid = new Uint8Array(32), index = 0, sequence = 0xffff_ffff } = tx.getInput(at)
    return { txid, index, sequence, finalScriptSig: at === signed ? script : new Uint8Array() }
  })
  const outputs = range(tx.outputsLength).map(at => {
    const { amount = 0n, script: paid = new Uint8Array() } = tx.getOutput(at)
    return { amount, script: paid }
  })
  const { version, lockTime } = tx
  const unsigned = RawOldTx.encode({ version, lockTime, inputs, outputs })
  return sha256(sha256(Buffer.concat([unsigned, Buffer.from([1, 0, 0, 0])])))
}

function range(length: number): readonly number[] {
  return Array.from({ length }, (_, at) => at)
}

/** The pieces a P2PKH scriptSig pushes. */
function pushes(scriptSig: Uint8Array | undefined): readonly Uint8Array[] {
  const pieces: Uint8Array[] = []
  let rest = scriptSig ?? new Uint8Array()
  while (rest.length > 0) {
    const length = rest[0] ?? 0
    pieces.push(rest.subarray(1, 1 + length))
    rest = rest.subarray(1 + length)
  }
  return pieces
}

function scriptAddress(script: string, network: Network): string {
  const btcNetwork = network === 'mainnet' ? NETWORK : TEST_NETWORK
  try {
    return Address(btcNetwork).encode(OutScript.decode(Buffer.from(script, 'hex')))
  } catch {
    return `script ${script}`
  }
}

function toHex(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString('hex')
}
