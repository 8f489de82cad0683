import assert from 'node:assert/strict'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { Address, NETWORK, OutScript, TEST_NETWORK, Transaction } from '@scure/btc-signer'
import { RawOldTx } from '@scure/btc-signer/script.js'
import { hash160 } from '@scure/btc-signer/utils.js'
import type { Network } from '../../../src/base/model.ts'
import type { FakeChain } from './fake-chain.ts'

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

/** A chain of Bitcoin's kind, without anything to complete. */
export function bitcoinLike(asset: string, slug: string): FakeChain {
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
