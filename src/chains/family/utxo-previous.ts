import { RawOldTx } from '@scure/btc-signer/script.js'
import { concat, fromHex, hex } from '../../base/bytes.ts'
import { asKmsError, KmsError } from '../../base/errors.ts'
import { asString } from '../../base/json.ts'
import type { ChainReads, Completion } from '../../base/model.ts'
import type { ChainSettings } from '../chain.ts'
import { refused } from './refusals.ts'
import type { Spend } from './utxo-script.ts'
import { isSegwit } from './utxo-signing.ts'
import { txIdOf, type UtxoInput, type UtxoOutput, type UtxoTx } from './utxo-tx.ts'

// A legacy signature does not commit to the amount it spends; BIP-143 does. Who states less than
// there is turns the rest into a fee. The proof is the transaction that made the output: its id is
// its hash, and the signature commits to the id.

type Setting = ChainSettings['verifyInputs']

/** The completion's member for the transaction `txId`: its bytes in hex, with or without witnesses. */
const prefix = 'previous/'

/** Requests under way at once. */
const readsAtOnce = 4

/** Hex digits of all of them: one frame of the pipe, of 64 MiB, holds them and the payment. */
const maxDigits = 32 * 2 ** 20

/**
 * Front: reads the transactions that the legacy inputs of `tx` spend from, each once. Stops at the
 * first that cannot be had: what is wrong with one is soon wrong with all, and an amount that is not
 * proved leaves the fee unproved, whatever is known of the others.
 */
export async function readPrevious(
  tx: UtxoTx,
  spends: readonly Spend[],
  { nodePath, setting }: { readonly nodePath: string; readonly setting: Setting },
  reads: Pick<ChainReads, 'rpc' | 'warn'>,
): Promise<Completion> {
  if (setting === 'off') return {}
  const found: Record<string, string> = {}
  const waiting = new Set(legacyInputs(tx, spends).map(([, { txId }]) => txId)).values()
  let digits = 0
  let fault: KmsError | undefined
  const readNext = async (): Promise<void> => {
    for (const txId of waiting) {
      if (fault !== undefined) return
      const raw = await readRaw(txId, nodePath, reads).catch(keepFailedRead)
      if (raw instanceof KmsError) fault ??= raw
      else if (digits + raw.length > maxDigits) fault ??= tooLarge()
      else {
        digits += raw.length
        found[prefix + txId] = raw
      }
    }
  }
  await Promise.all(Array.from({ length: readsAtOnce }, readNext))
  if (fault !== undefined && setting === 'require') throw fault
  if (fault !== undefined) reads.warn('input amounts not verified', fault.message)
  return found
}

async function readRaw(
  txId: string,
  nodePath: string,
  reads: Pick<ChainReads, 'rpc'>,
): Promise<string> {
  // Without its second parameter the method answers bytes, not a description of them.
  const raw = asString(await reads.rpc(nodePath, 'getrawtransaction', [txId]))
  if (raw !== undefined && /^[0-9a-f]+$/i.test(raw)) return raw
  throw new KmsError('network', 'rpc getrawtransaction was answered in the wrong shape')
}

/** A server that has no answer, or a plan without this one; all else is nothing to go on after. */
function keepFailedRead(thrown: unknown): KmsError {
  const fault = asKmsError(thrown)
  if (fault.code === 'network' || fault.code === 'api-key-refused') return fault
  throw thrown
}

function tooLarge(): KmsError {
  return refused('the transactions that its inputs spend from are too large to be verified')
}

/**
 * Signer: refuses unless each previous transaction that was given is the one an input names and has
 * that output, and where it is required, unless all of them were given.
 */
export function checkPrevious(
  tx: UtxoTx,
  spends: readonly Spend[],
  completion: Completion,
  setting: Setting,
): void {
  const legacy = legacyInputs(tx, spends)
  const needed = new Set(legacy.map(([, { txId }]) => prefix + txId))
  const given = new Map<string, readonly UtxoOutput[] | undefined>()
  for (const [name, raw] of Object.entries(completion)) {
    if (!needed.has(name)) throw refused('nothing can be added to a transaction of this chain')
    const txId = name.slice(prefix.length)
    given.set(txId, outputsOf(txId, raw))
  }
  for (const [i, input] of legacy) {
    if (given.has(input.txId)) checkInput(i, input, given.get(input.txId))
    else if (setting === 'require') {
      throw refused(
        `the amount of input ${i} is not proved, and --verify-inputs=require asks for it`,
      )
    }
  }
}

function legacyInputs(
  { inputs }: UtxoTx,
  spends: readonly Spend[],
): readonly (readonly [position: number, input: UtxoInput])[] {
  return [...inputs.entries()].filter(([i]) => {
    const spend = spends[i]
    return spend === undefined || !isSegwit(spend)
  })
}

/** Undefined for anything but the transaction with that id. */
function outputsOf(txId: string, raw: string): readonly UtxoOutput[] | undefined {
  const bytes = fromHex(raw)
  const decoded = bytes && decodeWithoutWitness(bytes)
  // What is hashed is encoded from what is judged: the two cannot differ.
  if (decoded === undefined || txIdOf(RawOldTx.encode(decoded)) !== txId) return undefined
  return decoded.outputs.map(({ amount, script }) => ({ satoshis: amount, script: hex(script) }))
}

/**
 * What goes into the id. In the form of BIP-144 an empty list of inputs and a byte of flags come
 * first, and what they announce stands between outputs and lock time: witnesses, and with Litecoin
 * Core's flag 8 what MWEB adds. Neither is read: it is no part of what is hashed.
 */
function decodeWithoutWitness(bytes: Uint8Array): ReturnType<typeof RawOldTx.decode> | undefined {
  try {
    if (bytes[4] !== 0) return RawOldTx.decode(bytes)
    const plain = concat(bytes.subarray(0, 4), bytes.subarray(6))
    const { version, inputs, outputs } = RawOldTx.decode(plain, { allowUnreadBytes: true })
    const last = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 4, 4)
    return { version, inputs, outputs, lockTime: last.getUint32(0, true) }
  } catch {
    return undefined
  }
}

function checkInput(
  i: number,
  { index, satoshis, script }: UtxoInput,
  outputs: readonly UtxoOutput[] | undefined,
): void {
  if (outputs === undefined) {
    throw refused(`what the server gave as the transaction input ${i} spends from is not that one`)
  }
  const spent = outputs[index]
  if (spent === undefined) {
    throw refused(`input ${i} spends output ${index}, of a transaction with ${outputs.length}`)
  }
  if (spent.satoshis !== satoshis) {
    throw refused(`input ${i} holds ${spent.satoshis} base units, not ${satoshis} as stated`)
  }
  if (spent.script !== script) {
    throw refused(`the script of input ${i} is not that of the output it spends`)
  }
}
