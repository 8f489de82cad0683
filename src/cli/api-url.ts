import type { Context } from './context.ts'

/** Where the Tatum API is. */
export function apiUrlOf({ variable }: Pick<Context, 'variable'>): string {
  return variable('TATUM_API_URL') ?? 'https://api.tatum.io'
}
