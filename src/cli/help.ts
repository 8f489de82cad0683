import { chainNames } from '../chains/names.ts'
import type { Command, Option } from './command.ts'
import { commandGroups } from './commands.ts'
import { usage } from './usage.ts'

/** What `tatum-kms --help` prints. */
export function help(): string {
  return [
    'tatum-kms keeps blockchain keys in an encrypted vault and signs Tatum payments',
    'with them.',
    '',
    'Examples:',
    '  tatum-kms generatemanagedwallet BTC',
    '  tatum-kms daemon --external-url=https://approver.internal/check',
    '',
    ...commandGroups.flatMap(({ title, commands }) => [
      `${title}:`,
      ...columns(
        commands.map(({ name, args, about }) => [usage(name, args), about]),
        widest,
      ),
      '',
    ]),
    'Chains:',
    ...wrap(chainNames.map(([id]) => id).join(' '), width - 2).map(line => `  ${line}`),
    '',
    'tatum-kms COMMAND --help tells more about a command, tatum-kms man about all.',
  ].join('\n')
}

/** What `tatum-kms COMMAND --help` prints. */
export function commandHelp({ name, args, about, examples, options }: Command): string {
  return [
    `Usage: tatum-kms ${usage(name, args)}${options.length > 0 ? ' [options]' : ''}`,
    '',
    `${about.charAt(0).toUpperCase()}${about.slice(1)}.`,
    ...(examples.length > 0 ? ['', 'Examples:'] : []),
    ...examples.map(example => `  tatum-kms ${example}`),
    ...(options.length > 0 ? ['', 'Options:', ...columns(options.map(describe))] : []),
  ].join('\n')
}

function describe({ name, value, about }: Option): readonly [string, string] {
  return [value ? `--${name}=${value}` : `--${name}`, about]
}

const width = 80
/** A column that is wider leaves too little room beside it. */
const widest = 30

/** Two columns within 80; what is too long for its column gets a line of its own. */
function columns(
  rows: readonly (readonly [left: string, right: string])[],
  left = Math.min(widest, Math.max(...rows.map(([text]) => text.length))),
): readonly string[] {
  return rows.flatMap(([name, about]) => {
    const lines = wrap(about, width - left - 4)
    const [first = '', ...more] = lines
    const rest = more.map(line => `${' '.repeat(left + 4)}${line}`)
    if (name.length <= left) return [`  ${name.padEnd(left)}  ${first}`, ...rest]
    return [`  ${name}`, `${' '.repeat(left + 4)}${first}`, ...rest]
  })
}

function wrap(text: string, room: number): readonly string[] {
  const lines = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? ''
    if (line !== '' && line.length + 1 + word.length > room) lines.push(word)
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
  }
  return lines
}
