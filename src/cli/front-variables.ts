import { engineVariables } from '../base/program.ts'
import { environmentVariable } from './variables.ts'

/**
 * What Bun itself, the times in its log and its lines in journald need: no password, no key, no
 * proxy, no TLS override.
 */
const names = ['PATH', 'LANG', 'TZ', 'JOURNAL_STREAM'] as const

/** All that the front gets of an environment. */
export function frontVariables(
  variable: (name: string) => string | undefined = environmentVariable,
): Readonly<Record<string, string>> {
  const passedOn = names.flatMap(name => {
    const value = variable(name)
    return value === undefined ? [] : [[name, value] as const]
  })
  return { ...Object.fromEntries(passedOn), ...engineVariables }
}
