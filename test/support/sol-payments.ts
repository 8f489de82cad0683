import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import type { PendingTx, Signature } from '../../src/base/model.ts'
import type { Own, Prepared } from '../../src/chains/chain.ts'
import { defaultSettings } from '../../src/chains/settings.ts'
import { sol } from '../../src/chains/sol.ts'
import {
  associatedAccount,
  associatedProgram,
  budgetProgram,
  memoProgram,
  ofBase58,
  rentAccount,
  systemProgram,
  toBase58,
  tokenProgram,
} from './solana.ts'

export type Wallet = {
  readonly address: string
  /** Seed and public key, as Solana's tools write a private key. */
  readonly pair: Buffer
  readonly key: KeyObject
}

export function walletOf(seed: Uint8Array): Wallet {
  // RFC 8410: the DER of an Ed25519 private key.
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32)
  return { address: toBase58(publicKey), pair: Buffer.concat([seed, publicKey]), key }
}

export const [alice, bob, carol, newMint] = [1, 2, 3, 4].map(byte =>
  walletOf(new Uint8Array(32).fill(byte)),
) as [Wallet, Wallet, Wallet, Wallet]
/** Accounts that nobody here has a key of. */
export const [shop, mint, otherMint, stray] = [0xa1, 0xa2, 0xa3, 0xa4].map(byte =>
  toBase58(new Uint8Array(32).fill(byte)),
) as [string, string, string, string]

export const blockhash = toBase58(new Uint8Array(32).fill(0xbb))
export const completion = { blockhash, lastBlock: '1150', slot: '2000' }

export type Account = {
  readonly address: string
  readonly signs?: boolean
  readonly written?: boolean
}

export type Step = {
  readonly program: string
  readonly accounts: readonly Account[]
  readonly data: Buffer
}

export const signer = (address: string): Account => ({ address, signs: true, written: true })
export const written = (address: string): Account => ({ address, written: true })
export const read = (address: string): Account => ({ address })

const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
export const u64 = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(value)
  return bytes
}

export function systemStep(tag: number, accounts: readonly Account[], ...data: Buffer[]): Step {
  return { program: systemProgram, accounts, data: Buffer.concat([u32(tag), ...data]) }
}

export function tokenStep(tag: number, accounts: readonly Account[], ...data: Buffer[]): Step {
  return { program: tokenProgram, accounts, data: Buffer.concat([Buffer.of(tag), ...data]) }
}

export function transfer(from: string, to: string, lamports: bigint): Step {
  return systemStep(2, [signer(from), written(to)], u64(lamports))
}

export function sendTokens(source: string, to: string, owner: string, amount: bigint): Step {
  return tokenStep(3, [written(source), written(to), signer(owner)], u64(amount))
}

export function sendChecked(
  of: string,
  source: string,
  to: string,
  owner: string,
  amount: bigint,
): Step {
  const accounts = [written(source), read(of), written(to), signer(owner)]
  return tokenStep(12, accounts, u64(amount), Buffer.of(6))
}

export function makeAccount(
  payer: string,
  owner: string,
  of: string,
  data = Buffer.alloc(0),
): Step {
  const account = associatedAccount(owner, of)
  const rest = [owner, of, systemProgram, tokenProgram].map(read)
  return { program: associatedProgram, accounts: [signer(payer), written(account), ...rest], data }
}

export function makeMint(payer: string, address: string, lamports = 1_461_600n): Step {
  const owner = ofBase58(tokenProgram)
  return systemStep(0, [signer(payer), signer(address)], u64(lamports), u64(82n), owner)
}

export function initMint(address: string, authority: string, freezer?: string): Step {
  const frozen = freezer === undefined ? [0] : [1, ...ofBase58(freezer)]
  const data = Buffer.from([0, ...ofBase58(authority), ...frozen])
  return tokenStep(0, [written(address), read(rentAccount)], data)
}

export function mintTo(of: string, account: string, authority: string, amount: bigint): Step {
  return tokenStep(7, [written(of), written(account), signer(authority)], u64(amount))
}

export function budgetStep(tag: number, value: Buffer): Step {
  return { program: budgetProgram, accounts: [], data: Buffer.concat([Buffer.of(tag), value]) }
}

export const unitLimit = (units: number): Step => budgetStep(2, u32(units))
export const unitPrice = (microLamports: bigint): Step => budgetStep(3, u64(microLamports))

export function memo(text: string | Buffer, ...signers: readonly string[]): Step {
  return { program: memoProgram, accounts: signers.map(signer), data: Buffer.from(text) }
}

/** A message as the SDKs compile it: who signs first, then what is written, then what is read. */
export function compile(payer: string, steps: readonly Step[]): Buffer {
  const roles = new Map<string, { signs: boolean; written: boolean }>()
  const programs = steps.map(({ program }) => read(program))
  for (const used of [signer(payer), ...steps.flatMap(({ accounts }) => accounts), ...programs]) {
    const { signs = false, written: isWritten = false } = used
    const before = roles.get(used.address)
    roles.set(used.address, {
      signs: before?.signs || signs,
      written: before?.written || isWritten,
    })
  }
  const all = [...roles].map(([address, role]) => ({ address, ...role }))
  const groups = [true, false].map(signs =>
    [true, false].map(written => all.filter(a => a.signs === signs && a.written === written)),
  ) as [[typeof all, typeof all], [typeof all, typeof all]]
  const [[mainSigners, readSigners], [others, readOthers]] = groups
  const order = [...mainSigners, ...readSigners, ...others, ...readOthers].map(a => a.address)
  return encode({
    header: [mainSigners.length + readSigners.length, readSigners.length, readOthers.length],
    accounts: order.map(ofBase58),
    steps: steps.map(({ program, accounts, data }) => ({
      program: order.indexOf(program),
      accounts: accounts.map(({ address }) => order.indexOf(address)),
      data,
    })),
  })
}

export type RawMessage = {
  readonly header: readonly number[]
  readonly accounts: readonly Uint8Array[]
  readonly steps: readonly {
    readonly program: number
    readonly accounts: readonly number[]
    readonly data: Uint8Array
  }[]
}

/** With a placeholder in the place of the blockhash, as Tatum has it. */
export function encode({ header, accounts, steps }: RawMessage): Buffer {
  return Buffer.from([
    ...header,
    ...shortVec(accounts.length),
    ...accounts.flatMap(bytes => [...bytes]),
    ...new Uint8Array(32).fill(0x60),
    ...shortVec(steps.length),
    ...steps.flatMap(({ program, accounts: used, data }) => [
      ...[program, ...shortVec(used.length), ...used],
      ...[...shortVec(data.length), ...data],
    ]),
  ])
}

/** 7 bits a byte, the lowest first. */
export function shortVec(value: number): readonly number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...shortVec(Math.floor(value / 128))]
}

export function ownOf(...wallets: readonly Wallet[]): Own {
  const keys = wallets.map(({ pair }) => ({
    curve: 'ed25519' as const,
    bytes: Uint8Array.from(pair.subarray(32)),
  }))
  return { network: 'testnet', keys, settings: defaultSettings }
}

/** A payment of this message; a text is the whole of what Tatum sent. */
export function paymentOf(message: Buffer | string, mintKey?: Wallet): PendingTx {
  const json = {
    txData: message.toString('hex'),
    ...(mintKey && { mintPK: mintKey.pair.toString('hex') }),
  }
  return {
    id: '3cb644c9b51e547c2634c3cd',
    chain: 'SOL',
    serializedTransaction: typeof message === 'string' ? message : JSON.stringify(json),
    hashes: ['1e401cba-adf2-4176-876d-171a156a9f14'],
    signatures: [],
  }
}

/** What the signer does in earnest: a signature per request, with own keys and with given ones. */
export function signaturesOf(
  { requests, givenKeys }: Prepared,
  wallets: readonly Wallet[],
): readonly Signature[] {
  const keys = [
    ...wallets.map(({ key }) => key),
    ...givenKeys.map(({ privateKey }) => walletOf(privateKey).key),
  ]
  return requests.map(({ key, algorithm, message }) => {
    const found = keys[key]
    if (found === undefined || algorithm !== 'ed25519') throw new Error('no key for a request')
    return { bytes: Uint8Array.from(sign(null, message, found)), recovery: 0 }
  })
}

export function prepareSol(
  message: Buffer,
  wallets: readonly Wallet[],
  mintKey?: Wallet,
): Prepared {
  return sol.prepare(paymentOf(message, mintKey), ownOf(...wallets), completion)
}
