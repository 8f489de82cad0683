import { chainNames } from '../../chains/names.ts'
import type { Command } from '../command.ts'

/** A completion script for bash; source it, or put it into its completions folder. */
export function bashCompletion(commands: readonly Command[]): string {
  const cases = commands.map(({ name, args, options }) => {
    const words = [...options.map(flag => `--${flag.name}${flag.value ? '=' : ''}`), '--help']
    return `    ${name}) words='${[...choicesOf(args), ...words].join(' ')}' ;;`
  })
  return [
    '# bash completion for tatum-kms: source <(tatum-kms completion bash)',
    '_tatum_kms() {',
    `  local current=$2 command=\${COMP_WORDS[1]} words`,
    '  if [ "$COMP_CWORD" -eq 1 ]; then',
    `    words='${commands.map(({ name }) => name).join(' ')} --help --version'`,
    '  else case $command in',
    ...cases,
    '  esac; fi',
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    `  case \${COMPREPLY[0]} in *=) compopt -o nospace ;; esac`,
    '}',
    'complete -o default -F _tatum_kms tatum-kms',
  ].join('\n')
}

/** What the first argument of a command can be, where the table says so. */
export function choicesOf([first = '']: readonly string[]): readonly string[] {
  if (first === 'chain') return chainNames.map(([id]) => id)
  return first.includes('|') ? first.replace(/[[\]]/g, '').split('|') : []
}
