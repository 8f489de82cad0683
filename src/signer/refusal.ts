import { asKmsError } from '../base/errors.ts'
import type { SignResult } from './messages.ts'

export type Refusal = Extract<SignResult, { kind: 'refused' }>

/** Whatever `work` throws is its answer: one refused payment does not hold up the others. */
export async function orRefusal<T>(work: () => T | Promise<T>): Promise<T | Refusal> {
  try {
    return await work()
  } catch (thrown) {
    return refusalBecause(thrown)
  }
}

/** As `orRefusal`, for work that is done at once. */
export function orRefused<T>(work: () => T): T | Refusal {
  try {
    return work()
  } catch (thrown) {
    return refusalBecause(thrown)
  }
}

function refusalBecause(thrown: unknown): Refusal {
  const { code, message: reason } = asKmsError(thrown)
  return { kind: 'refused', code, reason }
}
