import { malformed } from './refusals.ts'
import {
  type Call,
  type Deny,
  nameAccounts,
  openData,
  type TokenInstruction,
  tokenPowers,
  type UnreadInstruction,
} from './sol-instruction.ts'
import { programs, rentSysvar } from './sol-programs.ts'

/** `TokenInstruction` of SPL Token, by its number. */
const names = [
  'InitializeMint',
  'InitializeAccount',
  'InitializeMultisig',
  'Transfer',
  'Approve',
  'Revoke',
  'SetAuthority',
  'MintTo',
  'Burn',
  'CloseAccount',
  'FreezeAccount',
  'ThawAccount',
  'TransferChecked',
  'ApproveChecked',
  'MintToChecked',
  'BurnChecked',
  'InitializeAccount2',
  'SyncNative',
  'InitializeAccount3',
  'InitializeMultisig2',
  'InitializeMint2',
] as const

/** Reads an instruction of the SPL Token program. */
export function readTokenInstruction(call: Call, deny: Deny): TokenInstruction | UnreadInstruction {
  const [tag] = call.data
  if (tag === undefined) throw malformed('an instruction of the Token program has no number')
  const name = names[tag]
  switch (name) {
    case 'Transfer': {
      const { u64 } = openData(name, call, 9)
      const named = nameAccounts(name, call, ['source', 'to', 'authority'])
      return { kind: 'token-transfer', ...named, amount: u64(1) }
    }
    case 'TransferChecked': {
      const { u64 } = openData(name, call, 10)
      const named = nameAccounts(name, call, ['source', 'mint', 'to', 'authority'])
      return { kind: 'token-transfer', ...named, amount: u64(1) }
    }
    case 'MintTo':
    case 'MintToChecked': {
      const { u64 } = openData(name, call, name === 'MintTo' ? 9 : 10)
      const named = nameAccounts(name, call, ['mint', 'to', 'authority'])
      return { kind: 'mint-to', ...named, amount: u64(1) }
    }
    case 'InitializeMint': {
      const { mint, rent } = nameAccounts(name, call, ['mint', 'rent'])
      if (rent !== rentSysvar) throw malformed(`${name} names another account than that of rents`)
      return { kind: 'initialize-mint', mint, ...readAuthorities(name, call) }
    }
    case 'InitializeMint2': {
      const { mint } = nameAccounts(name, call, ['mint'])
      return { kind: 'initialize-mint', mint, ...readAuthorities(name, call) }
    }
    case 'Approve':
    case 'ApproveChecked':
      deny('SOL.Approve', notSigned(name))
      return readApproval(name, call)
    case 'SetAuthority':
      deny('SOL.SetAuthority', notSigned(name))
      return readSuccession(name, call)
    case 'CloseAccount': {
      deny('SOL.CloseAccount', notSigned(name))
      openData(name, call, 1)
      const named = nameAccounts(name, call, ['account', 'heir', 'authority'])
      return { kind: 'close-account', ...named }
    }
    default: {
      deny('SOL.unread-instruction', notSigned(name ?? `instruction ${tag}`))
      const { accounts } = call
      return { kind: 'unread', program: programs.token, name: name ?? `${tag}`, accounts }
    }
  }
}

function notSigned(name: string): string {
  return `${name} of the Token program is not signed`
}

function readApproval(name: 'Approve' | 'ApproveChecked', call: Call): TokenInstruction {
  if (name === 'Approve') {
    const named = nameAccounts(name, call, ['source', 'delegate', 'authority'])
    return { kind: 'approve', ...named, amount: openData(name, call, 9).u64(1) }
  }
  const named = nameAccounts(name, call, ['source', 'mint', 'delegate', 'authority'])
  return { kind: 'approve', ...named, amount: openData(name, call, 10).u64(1) }
}

/** Which power, and who has it from then on: a 0 for nobody, or a 1 and a key. */
function readSuccession(name: string, call: Call): TokenInstruction {
  const named = nameAccounts(name, call, ['account', 'authority'])
  const { account: keyAt } = openData(name, call, 35, 3)
  const [, number = 0, hasHeir] = call.data
  const power = tokenPowers[number]
  const isWhole = call.data.length === (hasHeir === 1 ? 35 : 3)
  if (power === undefined || (hasHeir !== 0 && hasHeir !== 1) || !isWhole) {
    throw malformed(`${name} does not say who gets which power`)
  }
  const heir = hasHeir === 1 && { heir: keyAt(3) }
  return { kind: 'set-authority', ...named, power, ...heir }
}

/** Decimals, who mints, and who freezes: a 0 for nobody, or a 1 and a key. */
function readAuthorities(
  what: string,
  call: Call,
): { readonly authority: string; readonly freezer?: string } {
  // Of nobody's key the older SDKs leave the bytes standing.
  const { account } = openData(what, call, 67, 35)
  const hasFreezer = call.data[34]
  if (hasFreezer === 0) return { authority: account(2) }
  if (hasFreezer !== 1 || call.data.length !== 67) {
    throw malformed(`${what} does not say who can freeze accounts`)
  }
  return { authority: account(2), freezer: account(35) }
}
