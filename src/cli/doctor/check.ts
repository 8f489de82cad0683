import { asKmsError } from '../../base/errors.ts'

type Result = 'ok' | 'warning' | 'failed'

/** What was looked at, and what came of it in one sentence. */
export type Check = { readonly name: string; readonly result: Result; readonly about: string }

export type Finding = readonly [result: Result, about: string]

/** A look that throws is a check that failed, never the end of the others. */
export async function check(name: string, look: () => Finding | Promise<Finding>): Promise<Check> {
  try {
    const [result, about] = await look()
    return { name, result, about }
  } catch (thrown) {
    const { message, hint } = asKmsError(thrown)
    return { name, result: 'failed', about: hint === undefined ? message : `${message} (${hint})` }
  }
}
