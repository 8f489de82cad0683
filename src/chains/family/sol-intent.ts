import type { Intent, Output } from '../../base/model.ts'
import type { Own } from '../chain.ts'
import { tokenAccountOf } from './sol-address.ts'
import { feeOf } from './sol-fee.ts'
import type { SolInstruction } from './sol-instruction.ts'
import { readInstructions } from './sol-reader.ts'
import type { SolTx } from './sol-tx.ts'

const coin = 'SOL'

/** What a transaction does, for the wallets at `own`. */
export function describeSol(tx: SolTx, own: readonly string[], settings: Own['settings']): Intent {
  const instructions = readInstructions(tx.message, settings)
  const accounts = knownTokenAccounts(instructions, own)
  const { base, priority, rent } = feeOf(tx, instructions)
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
    ...(instructions.some(({ kind }) => kind === 'unread') && { unread: true }),
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

/** What a transaction is called that does several of these: by the first. */
const weightiest = [
  'unread',
  'assign',
  'set-authority',
  'approve',
  'close-account',
  'create-mint',
  'mint-to',
  'token-transfer',
  'transfer',
] as const

function kindOf(instructions: readonly SolInstruction[]): string {
  const kinds = new Set(instructions.map(({ kind }) => kind))
  const named = weightiest.find(kind => kinds.has(kind))
  if (named === 'unread') return 'program-call'
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
      case 'assign':
        return [instruction.account]
      case 'set-authority':
      case 'close-account': {
        const { authority, account } = instruction
        return accounts.get(account)?.owner === authority ? [authority] : [authority, account]
      }
      case 'approve':
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
      return [note(`memo ${encodeURIComponent(instruction.text)}`)]
    case 'approve': {
      const { delegate: to, amount, source, mint } = instruction
      const contents = mint ?? accounts.get(source)?.mint ?? `token account ${source}`
      return [{ to, amount, asset: `${coin}:${contents}` }]
    }
    case 'set-authority':
      return tellSuccession(instruction, accounts)
    case 'close-account': {
      const { account, heir } = instruction
      return [{ to: heir, amount: most, asset: coin }, note(`all that ${account} holds`)]
    }
    case 'assign': {
      const { account, owner } = instruction
      return [{ to: owner, amount: most, asset: coin }, note(`all of account ${account}`)]
    }
    case 'unread': {
      const { program, name } = instruction
      return [
        { to: program, amount: 0n, asset: coin },
        ...(name ? [note(`instruction ${name}`)] : []),
      ]
    }
    default:
      return []
  }
}

/** How much an account holds the network alone knows: said is the most that there can be. */
const most = 2n ** 64n - 1n

/** Whom a token account belongs to has what is in it. */
function tellSuccession(
  { account, power, heir }: Extract<SolInstruction, { kind: 'set-authority' }>,
  accounts: TokenAccounts,
): readonly Omit<Output, 'own'>[] {
  const contents = accounts.get(account)?.mint ?? `token account ${account}`
  const given = { to: heir ?? 'nobody', amount: most, asset: `${coin}:${contents}` }
  const told = note(`${power} of ${account} is ${heir ?? 'nobody'}`)
  return power === 'AccountOwner' ? [given, told] : [told]
}

/** What pays nobody, as an output whose recipient is a description. */
function note(to: string): Omit<Output, 'own'> {
  return { to, amount: 0n, asset: coin }
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
