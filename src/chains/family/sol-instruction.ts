import type { DenialName } from '../denials.ts'
import { malformed } from './refusals.ts'
import { keyLength, keyText } from './sol-message.ts'

/** What is signed. Accounts are base58; how the tokens of a mint are divided is not known here. */
export type SolInstruction =
  | MoneyInstruction
  | TokenInstruction
  | SideInstruction
  | AssignInstruction
  | UnreadInstruction

type MoneyInstruction =
  | {
      readonly kind: 'transfer'
      readonly from: string
      readonly to: string
      readonly amount: bigint
    }
  | {
      readonly kind: 'create-mint'
      readonly from: string
      readonly mint: string
      readonly amount: bigint
    }
  | {
      readonly kind: 'create-token-account'
      readonly from: string
      readonly account: string
      readonly owner: string
      readonly mint: string
    }

export type TokenInstruction =
  | {
      readonly kind: 'token-transfer'
      readonly source: string
      /** Token accounts, not wallets. */
      readonly to: string
      readonly authority: string
      readonly amount: bigint
      readonly mint?: string
    }
  | {
      readonly kind: 'mint-to'
      readonly mint: string
      readonly to: string
      readonly authority: string
      readonly amount: bigint
    }
  | {
      readonly kind: 'initialize-mint'
      readonly mint: string
      readonly authority: string
      /** Who can freeze the accounts of this mint. */
      readonly freezer?: string
    }
  | {
      readonly kind: 'approve'
      readonly source: string
      /** Who may move the tokens of `source` from then on. */
      readonly delegate: string
      readonly authority: string
      readonly amount: bigint
      readonly mint?: string
    }
  | {
      readonly kind: 'set-authority'
      /** A mint or a token account. */
      readonly account: string
      readonly authority: string
      readonly power: TokenPower
      /** Absent where nobody is to have the power any more. */
      readonly heir?: string
    }
  | {
      readonly kind: 'close-account'
      readonly account: string
      /** Who gets what it holds in SOL. */
      readonly heir: string
      readonly authority: string
    }

/** `AuthorityType` of SPL Token, by its number. */
export const tokenPowers = ['MintTokens', 'FreezeAccount', 'AccountOwner', 'CloseAccount'] as const

type TokenPower = (typeof tokenPowers)[number]

type AssignInstruction = {
  readonly kind: 'assign'
  readonly account: string
  /** Whom the account belongs to from then on. */
  readonly owner: string
}

/** Signed on the owner's word: only the program knows what it does. */
export type UnreadInstruction = {
  readonly kind: 'unread'
  readonly program: string
  /** Of an instruction of a program that is known. */
  readonly name?: string
  readonly accounts: readonly string[]
}

type SideInstruction =
  | { readonly kind: 'unit-limit'; readonly units: bigint }
  | { readonly kind: 'unit-price'; readonly microLamports: bigint }
  | { readonly kind: 'memo'; readonly text: string; readonly signers: readonly string[] }

/** Throws unless the owner has lifted the denial. */
export type Deny = (denial: DenialName, reason: string) => void

/** An instruction as its program gets it. */
export type Call = { readonly accounts: readonly string[]; readonly data: Uint8Array }

/** The accounts of a call by what they are to it; as many as there are names. */
export function nameAccounts<Name extends string>(
  what: string,
  { accounts }: Call,
  names: readonly Name[],
): Readonly<Record<Name, string>> {
  if (accounts.length !== names.length) {
    throw malformed(`${what} has ${accounts.length} accounts in the place of ${names.length}`)
  }
  return Object.fromEntries(names.map((name, i) => [name, accounts[i]])) as Record<Name, string>
}

/** The data of a call, of which the lengths that its program takes are known. */
export function openData(what: string, { data }: Call, ...lengths: readonly number[]) {
  if (!lengths.includes(data.length)) {
    throw malformed(`${what} has ${data.length} bytes of data in the place of ${lengths[0]}`)
  }
  const view = new DataView(data.buffer, data.byteOffset, data.length)
  // Solana writes numbers the lowest byte first.
  return {
    u32: (at: number): bigint => BigInt(view.getUint32(at, true)),
    u64: (at: number): bigint => view.getBigUint64(at, true),
    account: (at: number): string => keyText(data.subarray(at, at + keyLength)),
  }
}
