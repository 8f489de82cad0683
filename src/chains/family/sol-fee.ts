import type { SolInstruction } from './sol-instruction.ts'
import type { SolTx } from './sol-tx.ts'

/** In lamports: what the network takes, and what the token accounts it makes are filled with. */
export type SolFee = { readonly base: bigint; readonly priority: bigint; readonly rent: bigint }

const lamportsPerSignature = 5_000n
/** What 165 bytes must hold to stay; it belongs to whom the token account belongs to. */
const tokenAccountRent = 2_039_280n
/** MAX_COMPUTE_UNIT_LIMIT */
const maxUnits = 1_400_000n
/** DEFAULT_INSTRUCTION_COMPUTE_UNIT_LIMIT: the most an instruction counts where no limit is set. */
const unitsPerInstruction = 200_000n

/** The most a transaction can cost beside what it pays. */
export function feeOf(
  { message }: Pick<SolTx, 'message'>,
  instructions: readonly SolInstruction[],
): SolFee {
  const made = instructions.filter(({ kind }) => kind === 'create-token-account')
  return {
    base: lamportsPerSignature * BigInt(message.signers),
    priority: priorityOf(instructions),
    rent: tokenAccountRent * BigInt(made.length),
  }
}

/** Paid by the units asked for, not by those used; a part of a lamport counts as one. */
function priorityOf(instructions: readonly SolInstruction[]): bigint {
  let price = 0n
  let limit = unitsPerInstruction * BigInt(instructions.length)
  for (const instruction of instructions) {
    if (instruction.kind === 'unit-price') price = instruction.microLamports
    if (instruction.kind === 'unit-limit') limit = instruction.units
  }
  const units = limit > maxUnits ? maxUnits : limit
  return (price * units + 999_999n) / 1_000_000n
}
