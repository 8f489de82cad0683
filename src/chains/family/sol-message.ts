import { base58Text, fromBase58 } from '../../base/base58.ts'
import { type ByteReader, readBytes } from '../../base/binary.ts'
import { concat, concatAll, fromHex, hex } from '../../base/bytes.ts'
import { encodeCompactU16, readCompactU16 } from '../codec/compact-u16.ts'
import { malformed, refused } from './refusals.ts'
import { remembered } from './remembered.ts'

/** A legacy message of Solana without its blockhash, which is a placeholder until it is signed. */
export type SolMessage = {
  /** The first accounts sign: as many as this, the last of them without being written to. */
  readonly signers: number
  readonly readonlySigners: number
  /** How many accounts at the end of the list are only read. */
  readonly readonlyOthers: number
  /** Base58. The first one pays the fee. */
  readonly accounts: readonly string[]
  readonly instructions: readonly RawInstruction[]
}

/** What a program is told to do; the numbers are places in `accounts`. */
type RawInstruction = {
  readonly program: number
  readonly accounts: readonly number[]
  readonly data: Uint8Array
}

/** PACKET_DATA_SIZE: an IPv6 packet's 1,280 bytes without its headers hold all of a transaction. */
const maxTransaction = 1_232
const signatureLength = 64
export const keyLength = 32

/** Reads `bytes` as a legacy message; `blockhash` is base58. */
export function decodeMessage(bytes: Uint8Array): {
  readonly message: SolMessage
  readonly blockhash: string
} {
  if (bytes.length > maxTransaction) throw tooLarge()
  const reader = readBytes(bytes, () => broken('ends too early'))
  const signers = reader.u8()
  // The top bit says that a version follows, and not a number of signers.
  if (signers > 0x7f) throw refused('messages with a version (v0) are not signed, only legacy ones')
  const readonlySigners = reader.u8()
  const readonlyOthers = reader.u8()
  const accounts = readList(reader, () => keyText(reader.take(keyLength)))
  const blockhash = keyText(reader.take(keyLength))
  const instructions = readList(reader, () => readInstruction(reader))
  if (reader.remaining > 0) throw broken('has bytes behind its end')
  const message = { signers, readonlySigners, readonlyOthers, accounts, instructions }
  checkMessage(message)
  if (1 + signers * signatureLength + bytes.length > maxTransaction) throw tooLarge()
  return { message, blockhash }
}

export function encodeMessage(message: SolMessage, blockhash: string): Uint8Array {
  const { signers, readonlySigners, readonlyOthers, accounts, instructions } = message
  return concat(
    Uint8Array.of(signers, readonlySigners, readonlyOthers),
    encodeList(accounts, keyBytes),
    keyBytes(blockhash),
    encodeList(instructions, ({ program, accounts, data }) =>
      concat(
        Uint8Array.of(program),
        encodeList(accounts, account => Uint8Array.of(account)),
        encodeCompactU16(data.length),
        data,
      ),
    ),
  )
}

/** The base58 of 32 public bytes: a key, or a blockhash. */
export function keyText(bytes: Uint8Array): string {
  return spell(hex(bytes))
}

// Spelling one takes as long as reading all the rest of a message.
const spell = remembered(digits => base58Text(fromHex(digits) ?? new Uint8Array()))

/** The 32 bytes behind base58 that was checked when it was read. */
export function keyBytes(text: string): Uint8Array {
  const bytes = fromBase58(text, keyLength)
  if (bytes === undefined) throw broken('names something that is no key')
  return bytes
}

function readInstruction(reader: ByteReader): RawInstruction {
  const program = reader.u8()
  const accounts = readList(reader, () => reader.u8())
  const data = reader.take(readLength(reader)).slice()
  return { program, accounts, data }
}

function readList<T>(reader: ByteReader, readItem: () => T): readonly T[] {
  const length = readLength(reader)
  // Each item takes a byte at least: what cannot be there is not waited for.
  if (length > reader.remaining) throw broken('ends too early')
  return Array.from({ length }, readItem)
}

function readLength(reader: ByteReader): number {
  return readCompactU16(reader, () => broken('has a length that is spelled wrong'))
}

function encodeList<T>(items: readonly T[], encodeItem: (item: T) => Uint8Array): Uint8Array {
  return concat(encodeCompactU16(items.length), concatAll(items.map(encodeItem)))
}

/** As the network does before anything else (`Message::sanitize`); an account stands there once. */
function checkMessage(message: SolMessage): void {
  const { signers, readonlySigners, readonlyOthers, accounts, instructions } = message
  if (signers + readonlyOthers > accounts.length) throw broken('has fewer accounts than it counts')
  if (readonlySigners >= signers) throw broken('has no signer who can pay the fee')
  if (new Set(accounts).size < accounts.length) throw broken('names an account twice')
  for (const { program, accounts: used } of instructions) {
    // The fee payer is no program.
    if (program === 0 || [program, ...used].some(place => place >= accounts.length)) {
      throw broken('has an instruction for an account that it does not name')
    }
  }
}

function broken(what: string) {
  return malformed(`the message in txData ${what}`)
}

function tooLarge() {
  return malformed(`the message in txData is too large: a transaction has ${maxTransaction} bytes`)
}
