import { KmsError } from '../base/errors.ts'
import type { Option } from './command.ts'
import { nearest } from './nearest.ts'

export const helpFlags: readonly string[] = ['--help', '-h']
export const versionFlags: readonly string[] = ['--version', '-v']

/** `-1` is an argument (a wrong index, which its command says), and so is a dash alone. */
export function isFlag(arg: string): boolean {
  return /^-(?!\d|$)/.test(arg)
}

/** The parser drops `--__proto__`, and takes one spelling of a flag that is given in two. */
export function refuseBadFlags(args: readonly string[], options: readonly Option[]): void {
  const seen = new Set<string>()
  const end = args.indexOf('--')
  for (const arg of end === -1 ? args : args.slice(0, end)) {
    const [typed = ''] = arg.split('=', 1)
    if (!isFlag(arg) || helpFlags.includes(typed) || versionFlags.includes(typed)) continue
    const option = options.find(({ name }) => [name, camel(name)].includes(typed.slice(2)))
    if (option === undefined || !typed.startsWith('--')) throw unknownOption(typed, options)
    const { name, value, repeats = false } = option
    if (seen.has(name) && !repeats) throw new KmsError('usage', `--${name} is given twice`)
    if (value === undefined && arg !== typed) {
      throw new KmsError('usage', `--${name} takes no value`)
    }
    seen.add(name)
  }
}

export function camel(kebabCase: string): string {
  return kebabCase.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

/** What looks like a name is repeated; what is longer may be a secret in the wrong place. */
function unknownOption(typed: string, options: readonly Option[]): KmsError {
  const name = typed.replace(/^-+/, '')
  const near = nearest(
    kebab(name),
    options.map(option => option.name),
  )
  const message = /^-{1,2}[\w-]{1,40}$/.test(typed) ? `unknown option ${typed}` : 'unknown option'
  return new KmsError('usage', message, {
    hint:
      near === undefined
        ? 'tatum-kms COMMAND --help lists what there is'
        : `did you mean --${near}`,
  })
}

export function kebab(camelCase: string): string {
  return camelCase.replaceAll(/(?<!^)[A-Z]/g, letter => `-${letter}`).toLowerCase()
}
