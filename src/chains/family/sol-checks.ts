import type { Own } from '../chain.ts'
import { refused } from './refusals.ts'
import { tokenAccountOf } from './sol-address.ts'
import type { SolInstruction } from './sol-instruction.ts'
import { readInstructions } from './sol-reader.ts'
import { mintOf, type SolTx } from './sol-tx.ts'

/** Refuses what the wallets at `own` are not to sign, or not alone. */
export function checkTx(tx: SolTx, own: readonly string[], settings: Own['settings']): void {
  checkSigners(tx, own)
  const instructions = readInstructions(tx.message, settings)
  if (instructions.every(({ kind }) => kind === 'unit-limit' || kind === 'unit-price')) {
    throw refused('the transaction does nothing')
  }
  checkActors(instructions, own)
  checkMint(instructions, mintOf(tx))
  checkRepeats(instructions)
  checkTokenAccounts(instructions)
}

/** Each wallet of the payment signs, and nobody else but the mint does. */
function checkSigners(tx: SolTx, own: readonly string[]): void {
  const { accounts, signers: count } = tx.message
  const signers = accounts.slice(0, count)
  const mint = mintOf(tx)
  const stranger = own.find(address => !signers.includes(address))
  if (stranger !== undefined) {
    throw refused(`wallet ${stranger} is no signer of the transaction`)
  }
  if (mint !== undefined && !signers.includes(mint)) {
    throw refused('mintPK is the key of no signer of the transaction')
  }
  if (mint !== undefined && (own.includes(mint) || signers[0] === mint)) {
    throw refused('mintPK is the key of a wallet or pays the fee: it may only be a new mint')
  }
  const missing = signers.find(address => !own.includes(address) && address !== mint)
  if (missing !== undefined) {
    throw refused(`signer ${missing} is none of the wallets of the payment`)
  }
}

/** Whoever gives, mints or speaks is a wallet of this payment. */
function checkActors(instructions: readonly SolInstruction[], own: readonly string[]): void {
  for (const instruction of instructions) {
    const stranger = actorsOf(instruction).find(address => !own.includes(address))
    if (stranger === undefined) continue
    throw refused(`${stranger} acts in '${instruction.kind}', but is no wallet of the payment`)
  }
}

function actorsOf(instruction: SolInstruction): readonly string[] {
  switch (instruction.kind) {
    case 'transfer':
    case 'create-mint':
    case 'create-token-account':
      return [instruction.from]
    case 'token-transfer':
    case 'mint-to':
    case 'approve':
    case 'set-authority':
    case 'close-account':
      return [instruction.authority]
    case 'assign':
      return [instruction.account]
    case 'initialize-mint': {
      const { authority, freezer = authority } = instruction
      return [authority, freezer]
    }
    case 'memo':
      return instruction.signers
    // Of those that sign all are wallets of the payment, whatever else is not known.
    case 'unread':
    case 'unit-limit':
    case 'unit-price':
      return []
    default:
      return instruction satisfies never
  }
}

/** A mint is made if and only if its key came along, and that account is nothing else. */
function checkMint(instructions: readonly SolInstruction[], mint: string | undefined): void {
  const made = instructions.flatMap(instruction =>
    instruction.kind === 'create-mint' ? [instruction.mint] : [],
  )
  const initialized = instructions.flatMap(instruction =>
    instruction.kind === 'initialize-mint' ? [instruction.mint] : [],
  )
  if ([...made, ...initialized].some(account => account !== mint)) {
    throw refused('the transaction makes a mint whose key did not come along')
  }
  if (mint === undefined) return
  if (made.length === 0) throw refused('mintPK is the key of an account that is not made')
  for (const instruction of instructions) {
    if (instruction.kind === 'memo') continue
    const { kind, ...members } = instruction
    const { mint: _, ...others } = { mint: undefined, ...members }
    if (Object.values<unknown>(others).flat().includes(mint)) {
      throw refused(`the new mint has another part in '${kind}'`)
    }
  }
}

/** What the network refuses twice, or what would cost us time only. */
function checkRepeats(instructions: readonly SolInstruction[]): void {
  const once = instructions.flatMap(instruction => {
    if (instruction.kind === 'create-token-account') return [instruction.account]
    const { kind } = instruction
    return kind === 'unit-limit' || kind === 'unit-price' || kind === 'create-mint' ? [kind] : []
  })
  if (new Set(once).size < once.length) throw refused('the transaction does the same thing twice')
}

/** Whose they are follows from their address: that is how a recipient is known (protocol 7). */
function checkTokenAccounts(instructions: readonly SolInstruction[]): void {
  for (const instruction of instructions) {
    if (instruction.kind !== 'create-token-account') continue
    const { account, owner, mint } = instruction
    if (account === tokenAccountOf(owner, mint)) continue
    throw refused(`${account} is not the token account of ${owner} for mint ${mint}`)
  }
}
