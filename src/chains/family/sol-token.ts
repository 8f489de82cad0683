import { denied, malformed } from './refusals.ts'
import { type Call, nameAccounts, openData, type TokenInstruction } from './sol-instruction.ts'
import { rentSysvar } from './sol-programs.ts'

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
export function readTokenInstruction(call: Call): TokenInstruction {
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
    default:
      throw denied(`${name ?? `instruction ${tag}`} of the Token program is not signed`)
  }
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
