import type { Own } from '../chain.ts'
import { denyUnlessLifted, malformed, refused } from './refusals.ts'
import {
  type Call,
  type Deny,
  nameAccounts,
  openData,
  type SolInstruction,
  type UnreadInstruction,
} from './sol-instruction.ts'
import type { SolMessage } from './sol-message.ts'
import { programs, rentSysvar } from './sol-programs.ts'
import { readTokenInstruction } from './sol-token.ts'

/**
 * Reads what a message tells programs to do; all that is not known to be harmless is denied, unless
 * the owner has lifted that.
 */
export function readInstructions(
  { accounts, instructions }: SolMessage,
  settings: Own['settings'],
): readonly SolInstruction[] {
  const named = (place: number): string => accounts[place] ?? ''
  const deny: Deny = (denial, reason) => denyUnlessLifted(settings, denial, reason)
  return instructions.map(({ program, accounts: used, data }) =>
    readInstruction(named(program), { accounts: used.map(named), data }, deny),
  )
}

function readInstruction(program: string, call: Call, deny: Deny): SolInstruction {
  switch (program) {
    case programs.system:
      return readSystem(call, deny)
    case programs.token:
      return readTokenInstruction(call, deny)
    case programs.associatedToken:
      return readAssociatedToken(call, deny)
    case programs.computeBudget:
      return readComputeBudget(call)
    case programs.memo:
    case programs.firstMemo:
      return { kind: 'memo', text: readText(call.data), signers: call.accounts }
    default:
      deny('SOL.unknown-program', `program ${program} is not known here`)
      return { kind: 'unread', program, accounts: call.accounts }
  }
}

/** `SystemInstruction`, by its number. */
const systemNames = [
  'CreateAccount',
  'Assign',
  'Transfer',
  'CreateAccountWithSeed',
  'AdvanceNonceAccount',
  'WithdrawNonceAccount',
  'InitializeNonceAccount',
  'AuthorizeNonceAccount',
  'Allocate',
  'AllocateWithSeed',
  'AssignWithSeed',
  'TransferWithSeed',
  'UpgradeNonceAccount',
] as const

/** `Mint::LEN` of SPL Token. */
const mintSize = 82n

function readSystem(call: Call, deny: Deny): SolInstruction {
  if (call.data.length < 4) throw malformed('an instruction of the System program has no number')
  const { u32: tagAt } = openData('an instruction', call, call.data.length)
  const name = systemNames[Number(tagAt(0))]
  switch (name) {
    case 'Transfer': {
      const { u64 } = openData(name, call, 12)
      const { from, to } = nameAccounts(name, call, ['from', 'to'])
      return { kind: 'transfer', from, to, amount: u64(4) }
    }
    case 'CreateAccount': {
      const { u64, account } = openData(name, call, 52)
      const { from, mint } = nameAccounts(name, call, ['from', 'mint'])
      if (account(20) !== programs.token || u64(12) !== mintSize) {
        deny('SOL.unread-instruction', 'CreateAccount makes something else than a mint')
        return unread(programs.system, name, call)
      }
      return { kind: 'create-mint', from, mint, amount: u64(4) }
    }
    case 'AdvanceNonceAccount':
      throw refused('a durable nonce keeps signed bytes valid for ever: it is not signed')
    case 'Assign': {
      deny('SOL.Assign', `${name} of the System program is not signed`)
      const owner = openData(name, call, 36).account(4)
      return { kind: 'assign', ...nameAccounts(name, call, ['account']), owner }
    }
    default: {
      const what = name ?? `instruction ${tagAt(0)}`
      deny('SOL.unread-instruction', `${what} of the System program is not signed`)
      return unread(programs.system, name ?? `${tagAt(0)}`, call)
    }
  }
}

function unread(program: string, name: string, { accounts }: Call): UnreadInstruction {
  return { kind: 'unread', program, name, accounts }
}

/** Create, without data or with a 0, or CreateIdempotent, a 1. */
function readAssociatedToken(call: Call, deny: Deny): SolInstruction {
  const what = 'the creation of a token account'
  const { accounts, data } = call
  const [tag = 0] = data
  if (data.length > 1 || tag > 1) {
    const reason = 'the Associated Token program is asked for something else than an account'
    deny('SOL.unread-instruction', reason)
    return unread(programs.associatedToken, `${tag}`, call)
  }
  // Until 2022 the account of rents came last.
  const isOlder = accounts.length === 7 && accounts[6] === rentSysvar
  const { from, account, owner, mint, system, token } = nameAccounts(
    what,
    { ...call, accounts: isOlder ? accounts.slice(0, 6) : accounts },
    ['from', 'account', 'owner', 'mint', 'system', 'token'],
  )
  if (system !== programs.system || token !== programs.token) {
    deny('SOL.unread-instruction', `${what} is for another program than the Token program`)
    return unread(programs.associatedToken, `${tag}`, call)
  }
  return { kind: 'create-token-account', from, account, owner, mint }
}

function readComputeBudget(call: Call): SolInstruction {
  switch (call.data[0]) {
    case 2:
      return { kind: 'unit-limit', units: openData('SetComputeUnitLimit', call, 5).u32(1) }
    case 3:
      return { kind: 'unit-price', microLamports: openData('SetComputeUnitPrice', call, 9).u64(1) }
    default:
      // What it may do to the fee is not known.
      throw refused('the Compute Budget program is asked for something else than limit or price')
  }
}

function readText(data: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data)
  } catch {
    throw malformed('the memo is not text in UTF-8')
  }
}
