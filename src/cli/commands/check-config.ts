import { vaultExists } from '../../vault/vault.ts'
import type { Action } from '../action.ts'
import type { Context } from '../context.ts'
import { usedVariables } from '../used-variables.ts'
import { version } from '../version.ts'

/** `checkconfig`: each setting and where it comes from; of a secret only whether it is set. */
export const checkConfig: Action = async context => {
  const { terminal, place, envFile, text, manager, originOf } = context
  // A manager's variables are many: those of one that is not in use are shown when they are set.
  const shown = usedVariables.filter(
    known =>
      known.manager === undefined ||
      known.manager === manager ||
      originOf(known.name) !== undefined,
  )
  const rows: readonly (readonly [name: string, value: string])[] = [
    ['Version of KMS', version],
    ['Wallet file path', `${place.path} (${text('path') === undefined ? 'default' : 'flag'})`],
    ['Wallet file exists', vaultExists(place) ? 'yes' : 'no'],
    ['Wallet store type', (manager ?? 'local').toUpperCase()],
    ['Env file', envFile() ?? 'none'],
    ...shown.map(known => [known.name, settingText(context, known)] as const),
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  terminal.answer(rows.map(([name, value]) => `${name.padEnd(width)} : ${value}`).join('\n'))
  return 0
}

function settingText(
  { variable, originOf, text, hasPassword }: Context,
  { name, flag, secret, usual }: (typeof usedVariables)[number],
): string {
  if (flag !== undefined && text(flag) !== undefined) {
    return secret ? 'set (flag)' : `${text(flag)} (flag)`
  }
  // The password is taken out of the environment before anything else happens.
  if (name === 'TATUM_KMS_PASSWORD' && hasPassword) return 'set (environment)'
  const origin = originOf(name)
  if (origin !== undefined) return `${secret ? 'set' : variable(name)} (${origin})`
  return usual === undefined ? 'unset' : `${usual} (default)`
}
