import { Script } from '@scure/btc-signer'
import { fromHex, hex } from '../../base/bytes.ts'
import { asArray, asInteger, asRecord, asString } from '../../base/json.ts'
import { parseStrictJson } from '../../base/strict-json.ts'
import { type Members, readMembers } from './members.ts'
import { malformed, refused } from './refusals.ts'
import { maxTxSize, refuseImpossible } from './utxo-checks.ts'
import {
  bytesOf,
  encodeTx,
  feeOf,
  txIdOf,
  type UtxoInput,
  type UtxoOutput,
  type UtxoTx,
} from './utxo-tx.ts'

/** Above it JSON numbers stand for more than one integer. */
const maxExact = BigInt(Number.MAX_SAFE_INTEGER)

/** Reads the bitcore JSON of an unsigned transaction (protocol 3.1). */
export function decodeBitcoreJson(serialized: string, maxAmount: bigint): UtxoTx {
  const json = readMembers(parseStrictJson(serialized), 'transaction', [
    'hash',
    'version',
    'inputs',
    'outputs',
    'nLockTime',
    'changeScript',
    'changeIndex',
    'fee',
  ])
  const tx = {
    version: readUint32(json.get('version'), 'version'),
    inputs: readList(json.get('inputs'), 'inputs', (value, where) =>
      readInput(value, where, maxAmount),
    ),
    outputs: readList(json.get('outputs'), 'outputs', (value, where) =>
      readOutput(value, where, maxAmount),
    ),
    lockTime: readUint32(json.get('nLockTime'), 'nLockTime'),
  }
  refuseImpossible(tx, maxAmount)
  checkUnsigned(json, tx)
  checkDeclaredFee(json, tx)
  checkDeclaredChange(json, tx)
  return tx
}

function readInput(value: unknown, where: string, maxAmount: bigint): UtxoInput {
  const unknownInput = asRecord(value)
  if (unknownInput?.has('publicKeys') || unknownInput?.has('threshold')) {
    throw refused(`${where} is multisig, which is not signed here`)
  }
  const json = readMembers(value, where, [
    'prevTxId',
    'outputIndex',
    'sequenceNumber',
    'script',
    'scriptString',
    'output',
  ])
  refuseScript(json.get('script'), `${where}.script`)
  refuseScript(json.get('scriptString'), `${where}.scriptString`)
  const sequence = json.get('sequenceNumber')
  return {
    txId: readTxId(json.get('prevTxId'), `${where}.prevTxId`),
    index: readUint32(json.get('outputIndex'), `${where}.outputIndex`),
    sequence: sequence === undefined ? 0xffffffff : readUint32(sequence, `${where}.sequenceNumber`),
    ...readOutput(json.get('output'), `${where}.output`, maxAmount),
  }
}

function readOutput(value: unknown, where: string, maxAmount: bigint): UtxoOutput {
  const json = readMembers(value, where, ['satoshis', 'script'])
  const satoshis = asInteger(json.get('satoshis'))
  const most = maxAmount < maxExact ? maxAmount : maxExact
  if (satoshis === undefined || satoshis < 0 || BigInt(satoshis) > most) {
    throw malformed(`${where}.satoshis is not a whole number from 0 to ${most}`)
  }
  const script = fromHex(asString(json.get('script')) ?? '-')
  if (script === undefined) throw malformed(`${where}.script is not hex`)
  return { satoshis: BigInt(satoshis), script: hex(script) }
}

/** A script here would be signed over by nobody: unsigned inputs have none. */
function refuseScript(value: unknown, where: string): void {
  if (value === undefined || value === '') return
  if (asString(value) === undefined) throw malformed(`${where} is not text`)
  throw refused(`${where} is not empty, but the transaction is to be signed here`)
}

function checkUnsigned(json: Members, tx: UtxoTx): void {
  const bytes = encodeTx(tx)
  if (bytes.length > maxTxSize) {
    throw refused(`the transaction is larger than ${maxTxSize} bytes`)
  }
  const declared = json.get('hash')
  if (declared === undefined) return
  if (readTxId(declared, 'hash') !== txIdOf(bytes)) {
    throw refused('hash is not the id of the transaction')
  }
}

function checkDeclaredFee(json: Members, tx: UtxoTx): void {
  const declared = json.get('fee')
  if (declared === undefined) return
  const fee = asInteger(declared)
  if (fee === undefined) throw malformed('fee is not a whole number')
  if (BigInt(fee) !== feeOf(tx)) throw refused('fee is not what the inputs hold beyond the outputs')
}

/** Nothing follows from the declared change; a wrong one says that the sender is confused. */
function checkDeclaredChange(json: Members, tx: UtxoTx): void {
  const script = json.get('changeScript')
  if (script !== undefined && asString(script) === undefined) {
    throw malformed('changeScript is not text')
  }
  const declared = json.get('changeIndex')
  if (declared === undefined) return
  const output = tx.outputs[readUint32(declared, 'changeIndex')]
  if (output === undefined) throw refused('changeIndex names no output')
  if (script !== undefined && script !== bitcoreText(output.script)) {
    throw refused('changeScript is not the script of the output changeIndex names')
  }
}

/** A script the way bitcore prints it; undefined for one with unknown operations. */
function bitcoreText(script: string): string | undefined {
  try {
    return Script.decode(bytesOf(script)).map(bitcoreWord).join(' ')
  } catch {
    return undefined
  }
}

function bitcoreWord(part: string | number | Uint8Array): string {
  return part instanceof Uint8Array ? `${part.length} 0x${hex(part)}` : `OP_${part}`
}

function readList<T>(
  value: unknown,
  where: string,
  read: (value: unknown, where: string) => T,
): readonly T[] {
  const list = asArray(value)
  if (list === undefined || list.length === 0)
    throw malformed(`${where} is not a list with members`)
  return list.map((element, i) => read(element, `${where}[${i}]`))
}

function readUint32(value: unknown, where: string): number {
  const number = asInteger(value)
  if (number === undefined || number >>> 0 !== number) {
    throw malformed(`${where} is not a whole number of 32 bits`)
  }
  // JSON has a -0, which is 0 but no equal of it when read back.
  return number >>> 0
}

function readTxId(value: unknown, where: string): string {
  const bytes = fromHex(asString(value) ?? '-')
  if (bytes?.length !== 32) throw malformed(`${where} is not 32 bytes of hex`)
  return hex(bytes)
}
