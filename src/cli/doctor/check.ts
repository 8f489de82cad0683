import { asKmsError } from '../../base/errors.ts'

export const results = ['ok', 'warning', 'failed', 'skipped'] as const

type Result = (typeof results)[number]

/** What was looked at, what came of it in one sentence, and what to do about it. */
export type Check = {
  readonly name: string
  readonly result: Result
  readonly about: string
  readonly hint?: string
}

export type Finding = readonly [result: Result, about: string, hint?: string]

/** A look that throws is a check that failed, never the end of the others. */
export async function check(name: string, look: () => Finding | Promise<Finding>): Promise<Check> {
  try {
    const [result, about, hint] = await look()
    return { name, result, about, ...(hint !== undefined && { hint }) }
  } catch (thrown) {
    const { message, hint } = asKmsError(thrown)
    return { name, result: 'failed', about: message, ...(hint !== undefined && { hint }) }
  }
}
