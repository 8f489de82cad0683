import type { Intent, Output } from '../../base/model.ts'
import { tokenAccountOf } from './sol-address.ts'
import { feeOf } from './sol-fee.ts'
import type { SolInstruction } from './sol-instruction.ts'
import { readInstructions } from './sol-reader.ts'
import type { SolTx } from './sol-tx.ts'

const coin = 'SOL'

/** What a transaction does, for the wallets at `own`. */
export function describeSol(tx: SolTx, own: readonly string[]): Intent {
  const instructions = readInstructions(tx.message)
  const accounts = knownTokenAccounts(instructions, own)
  const { base, priority, rent } = feeOf(tx)
  return {
    kind: kindOf(instructions),
    from: sendersOf(instructions, tx, accounts),
    outputs: instructions.flatMap(instruction =>
      outputsOf(instruction, instructions, accounts).map(output => ({
        ...output,
        own: own.includes(output.to),
      })),
    ),
    fee: { amount: base + priority + rent, asset: coin },
  }
}

/** Whose a token account is, and what is in it. */
type TokenAccounts = ReadonlyMap<string, { readonly owner: string; readonly mint: string }>

/** Those that are made here, and our own ones of every mint that is named. */
function knownTokenAccounts(
  instructions: readonly SolInstruction[],
  own: readonly string[],
): TokenAccounts {
  const mints = new Set<string>()
  const known = new Map<string, { readonly owner: string; readonly mint: string }>()
  for (const instruction of instructions) {
    if ('mint' in instruction && instruction.mint !== undefined) mints.add(instruction.mint)
    if (instruction.kind !== 'create-token-account') continue
    const { account, owner, mint } = instruction
    known.set(account, { owner, mint })
  }
  for (const mint of mints) {
    for (const owner of new Set(own)) known.set(tokenAccountOf(owner, mint), { owner, mint })
  }
  return known
}

function kindOf(instructions: readonly SolInstruction[]): string {
  const kinds = new Set(instructions.map(({ kind }) => kind))
  const named = (['create-mint', 'mint-to', 'token-transfer', 'transfer'] as const).find(kind =>
    kinds.has(kind),
  )
  return named ?? (kinds.has('create-token-account') ? 'create-token-account' : 'memo')
}

/** Who gives, and the fee payer; tokens of somebody else move with a power given earlier. */
function sendersOf(
  instructions: readonly SolInstruction[],
  { message }: SolTx,
  accounts: TokenAccounts,
): readonly string[] {
  const senders = instructions.flatMap(instruction => {
    switch (instruction.kind) {
      case 'transfer':
      case 'create-mint':
      case 'create-token-account':
        return [instruction.from]
      case 'token-transfer': {
        const { authority, source } = instruction
        return accounts.get(source)?.owner === authority ? [authority] : [authority, source]
      }
      case 'mint-to':
        return [instruction.authority]
      default:
        return []
    }
  })
  return [...new Set([...senders, ...message.accounts.slice(0, 1)])]
}

function outputsOf(
  instruction: SolInstruction,
  instructions: readonly SolInstruction[],
  accounts: TokenAccounts,
): readonly Omit<Output, 'own'>[] {
  switch (instruction.kind) {
    case 'transfer': {
      const { to, amount } = instruction
      return [{ to, amount, asset: coin }]
    }
    case 'create-mint': {
      const { mint, amount } = instruction
      return [{ to: `mint ${mint}`, amount, asset: coin }]
    }
    case 'mint-to':
    case 'token-transfer': {
      const { to, amount } = instruction
      const asset = `${coin}:${contentsOf(instruction, accounts)}`
      return [{ to: accounts.get(to)?.owner ?? to, amount, asset }]
    }
    case 'create-token-account': {
      const { account, owner, mint } = instruction
      const isPaidInto = instructions.some(other => 'to' in other && other.to === account)
      return isPaidInto ? [] : [{ to: owner, amount: 0n, asset: `${coin}:${mint}` }]
    }
    case 'memo':
      return [{ to: `memo ${encodeURIComponent(instruction.text)}`, amount: 0n, asset: coin }]
    default:
      return []
  }
}

/** A mint; where it is neither named nor known, the account it comes out of says as much. */
function contentsOf(
  instruction: Extract<SolInstruction, { kind: 'mint-to' | 'token-transfer' }>,
  accounts: TokenAccounts,
): string {
  if (instruction.mint !== undefined) return instruction.mint
  const { source, to } = instruction as Extract<SolInstruction, { kind: 'token-transfer' }>
  // Both sides of a transfer are of one mint, or the network refuses it.
  const known = accounts.get(to) ?? accounts.get(source)
  return known?.mint ?? `token account ${source}`
}
