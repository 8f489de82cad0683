import assert from 'node:assert/strict'
import { createHash, createPublicKey, verify } from 'node:crypto'

/** Solana's wire format, read by its specification, without a line of what is tested. */
export type ReadSol = SolParts & {
  readonly signatures: readonly string[]
  readonly message: Buffer
}

export type SolParts = {
  readonly header: readonly [signers: number, readonlySigners: number, readonlyOthers: number]
  readonly accounts: readonly string[]
  readonly blockhash: string
  readonly instructions: readonly SolStep[]
}

export type SolStep = {
  readonly program: string
  readonly accounts: readonly string[]
  readonly data: Buffer
}

export const systemProgram = '11111111111111111111111111111111'
export const tokenProgram = 'TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA'
export const associatedProgram = 'ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL'
export const budgetProgram = 'ComputeBudget111111111111111111111111111111'
export const memoProgram = 'MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr'
export const rentAccount = 'SysvarRent111111111111111111111111111111111'

/** A transaction as nodes get it; throws unless every signer has signed it. */
export function readSol(wire: string): ReadSol {
  const bytes = Buffer.from(wire, 'base64')
  assert(bytes.toString('base64') === wire && bytes.length <= 1232, 'not a transaction in base64')
  const take = reader(bytes)
  const signatures = take.list(() => take.bytes(64))
  const message = bytes.subarray(take.at())
  const parts = readSolMessage(message)
  assert(signatures.length === parts.header[0], 'with another number of signatures than signers')
  for (const [i, signature] of signatures.entries()) {
    assert(isSignedBy(parts.accounts[i] ?? '', message, signature), `signature ${i} is not valid`)
  }
  return { ...parts, signatures: signatures.map(toBase58), message }
}

export function readSolMessage(bytes: Buffer): SolParts {
  const take = reader(bytes)
  const [signers = 0, readonlySigners = 0, readonlyOthers = 0] = take.bytes(3)
  const accounts = take.list(() => toBase58(take.bytes(32)))
  const blockhash = toBase58(take.bytes(32))
  const instructions = take.list(() => {
    const program = accounts[take.byte()] ?? ''
    const used = take.list(() => accounts[take.byte()] ?? '')
    const data = Buffer.from(take.list(() => take.byte()))
    return { program, accounts: used, data }
  })
  assert(take.at() === bytes.length, 'with bytes behind its end')
  return { header: [signers, readonlySigners, readonlyOthers], accounts, blockhash, instructions }
}

function reader(bytes: Buffer) {
  let at = 0
  const take = (length: number): Buffer => {
    assert(at + length <= bytes.length, 'ends too early')
    at += length
    return bytes.subarray(at - length, at)
  }
  const byte = (): number => take(1)[0] ?? 0
  const shortVec = (): number => {
    const first = byte()
    if (first < 128) return first
    const second = byte()
    if (second < 128) return (first % 128) + 128 * second
    return (first % 128) + 128 * (second % 128) + 16_384 * byte()
  }
  return {
    at: () => at,
    byte,
    bytes: take,
    list: <T>(item: () => T): readonly T[] => Array.from({ length: shortVec() }, item),
  }
}

export function isSignedBy(address: string, message: Uint8Array, signature: Uint8Array): boolean {
  // RFC 8410: the DER of an Ed25519 public key.
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), ofBase58(address)])
  const key = createPublicKey({ key: der, format: 'der', type: 'spki' })
  return verify(null, message, key, signature)
}

const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

export function toBase58(bytes: Uint8Array): string {
  let number = BigInt(`0x0${Buffer.from(bytes).toString('hex')}`)
  let text = ''
  for (; number > 0n; number /= 58n) text = alphabet.charAt(Number(number % 58n)) + text
  const zeros = bytes.findIndex(byte => byte !== 0)
  return '1'.repeat(zeros < 0 ? bytes.length : zeros) + text
}

/** The 32 bytes of a key. */
export function ofBase58(text: string): Buffer {
  const number = [...text].reduce((sum, letter) => 58n * sum + BigInt(alphabet.indexOf(letter)), 0n)
  return Buffer.from(number.toString(16).padStart(64, '0'), 'hex')
}

const p = 2n ** 255n - 19n

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  for (let [b, e] = [base % p, exponent]; e > 0n; e >>= 1n, b = (b * b) % p) {
    if (e & 1n) result = (result * b) % p
  }
  return result
}

const d = ((p - 121_665n) * power(121_666n, p - 2n)) % p

/** Whether some x fits: −x² + y² = 1 + d·x²·y² (RFC 8032, 5.1.3), by Euler's criterion. */
export function isCurvePoint(bytes: Uint8Array): boolean {
  const y = BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`) % 2n ** 255n
  const square = ((y * y - 1n + p) * power(d * y * y + 1n, p - 2n)) % p
  return power(square, (p - 1n) / 2n) !== p - 1n
}

/** Where a wallet has its tokens of a mint: SPL Associated Token Account. */
export function associatedAccount(owner: string, mint: string): string {
  for (let bump = 255; ; bump--) {
    const hash = createHash('sha256')
    for (const key of [owner, tokenProgram, mint]) hash.update(ofBase58(key))
    hash.update(Uint8Array.of(bump)).update(ofBase58(associatedProgram))
    const digest = hash.update('ProgramDerivedAddress').digest()
    if (!isCurvePoint(digest)) return toBase58(digest)
  }
}

/** What somebody gets; tokens in an account that is made on the way belong to its wallet. */
export function solPayments({ instructions }: SolParts) {
  const made = new Map(
    instructions
      .filter(({ program }) => program === associatedProgram)
      .map(({ accounts: [, account, owner, mint] }) => [account, { owner, mint }]),
  )
  return instructions.flatMap(({ program, accounts, data }) => {
    if (program === systemProgram && data.readUInt32LE(0) === 2) {
      return [{ to: accounts[1] ?? '', amount: data.readBigUInt64LE(4), asset: 'SOL' }]
    }
    if (program !== tokenProgram || (data[0] !== 3 && data[0] !== 12)) return []
    const to = accounts[data[0] === 3 ? 1 : 2]
    const mint = data[0] === 12 ? accounts[1] : made.get(to)?.mint
    const asset = mint === undefined ? `SOL:token account ${accounts[0]}` : `SOL:${mint}`
    return [{ to: made.get(to)?.owner ?? to ?? '', amount: data.readBigUInt64LE(1), asset }]
  })
}
