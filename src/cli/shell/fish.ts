import type { Command } from '../command.ts'
import { choicesOf } from './bash.ts'

/** A completion script for fish: `~/.config/fish/completions/tatum-kms.fish`. */
export function fishCompletion(commands: readonly Command[]): string {
  const start = 'complete -c tatum-kms'
  return [
    '# fish completion for tatum-kms',
    ...commands.flatMap(({ name, args, about, options }) => [
      `${start} -n __fish_use_subcommand -f -a ${name} -d ${quoted(about)}`,
      ...options.map(option => {
        const value = option.value === undefined ? '' : ' -r'
        const within = `-n ${quoted(`__fish_seen_subcommand_from ${name}`)}`
        return `${start} ${within} -l ${option.name}${value} -d ${quoted(option.about)}`
      }),
      ...choicesOf(args).map(
        choice =>
          `${start} -n ${quoted(`__fish_seen_subcommand_from ${name}`)} -f -a ${quoted(choice)}`,
      ),
    ]),
  ].join('\n')
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
