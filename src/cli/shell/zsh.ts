import type { Command, Option } from '../command.ts'
import { choicesOf } from './bash.ts'

/** A completion script for zsh: a file `_tatum-kms` in a folder of its fpath. */
export function zshCompletion(commands: readonly Command[]): string {
  return [
    '#compdef tatum-kms',
    '_tatum_kms() {',
    '  local -a commands=(',
    ...commands.map(
      ({ name, about }) => `    ${quoted(`${name}:${about.replaceAll(':', '\\:')}`)}`,
    ),
    '  )',
    '  if (( CURRENT == 2 )); then _describe command commands; return; fi',
    '  case $words[2] in',
    ...commands.map(({ name, args, options }) => {
      const specs = [...options.map(specOf), quoted('--help[tell about this command]')]
      const choices = choicesOf(args)
      if (choices.length > 0) specs.push(quoted(`2:${args[0]}:(${choices.join(' ')})`))
      return `    ${name}) _arguments ${specs.join(' ')} ${quoted('*:file:_files')} ;;`
    }),
    '  esac',
    '}',
    '_tatum_kms "$@"',
  ].join('\n')
}

function specOf({ name, value, about }: Option): string {
  const text = about.replaceAll(/[[\]:]/g, '\\$&')
  if (value === undefined) return quoted(`--${name}[${text}]`)
  const action = value === 'FILE' || value === 'FOLDER' ? '_files' : choices(value)
  return quoted(`--${name}=[${text}]:${value.replaceAll(':', '\\:')}:${action}`)
}

function choices(value: string): string {
  return value.includes('|') ? `(${value.split('|').join(' ')})` : ' '
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
