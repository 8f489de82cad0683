import { type CAC, cac } from 'cac'
import { asKmsError, diagnosisOf, KmsError } from '../base/errors.ts'
import type { Command, Option } from './command.ts'
import { commands, visibleCommands } from './commands.ts'
import { exitStatus } from './exit.ts'
import { camel, helpFlags, isFlag, kebab, refuseBadFlags, versionFlags } from './flags.ts'
import { commandHelp, help } from './help.ts'
import { nearest } from './nearest.ts'
import { terminal } from './terminal.ts'
import { version } from './version.ts'

/** Runs one command line and answers its exit status. */
export async function run(argv: readonly string[]): Promise<number> {
  try {
    return await dispatch(argv)
  } catch (thrown) {
    const fault = asKmsError(thrown)
    terminal.error(fault.message, fault.hint)
    const diagnosis = diagnosisOf(fault)
    if (diagnosis !== undefined) terminal.note(diagnosis)
    return exitStatus[fault.code]
  }
}

async function dispatch([name = '--help', ...rest]: readonly string[]): Promise<number> {
  if (helpFlags.includes(name)) return answer(help())
  if (versionFlags.includes(name)) return answer(version)
  const command = commands.find(known => known.name === name)
  if (command === undefined) throw notACommand(name)
  const line = readCommandLine(command, rest)
  if (line.asks === 'help') return answer(commandHelp(command))
  if (line.asks === 'version') return answer(version)
  const { createContext } = await import('./context.ts')
  const action = await command.load()
  return action(createContext(line.options), line.args)
}

function answer(text: string): number {
  terminal.answer(text)
  return 0
}

/** What was typed may be a secret: it is not repeated. */
function notACommand(typed: string): KmsError {
  if (isFlag(typed)) {
    return new KmsError('usage', 'the command comes first', {
      hint: 'tatum-kms COMMAND [options]',
    })
  }
  const near = nearest(
    typed,
    visibleCommands.map(({ name }) => name),
  )
  return new KmsError('usage', 'unknown command', {
    hint: near === undefined ? 'tatum-kms --help lists them all' : `did you mean ${near}`,
  })
}

export type CommandLine =
  | { readonly asks: 'help' }
  | { readonly asks: 'version' }
  | {
      readonly asks: 'work'
      /** By kebab-case name; a switch is `true`. */
      readonly options: ReadonlyMap<string, string | true>
      readonly args: readonly string[]
    }

/** What follows a command's name: nothing unknown, nothing twice, nothing missing. */
export function readCommandLine(command: Command, given: readonly string[]): CommandLine {
  const cli = parse(command, given)
  if (cli.options['help']) return { asks: 'help' }
  if (cli.options['version']) return { asks: 'version' }
  const options = readOptions(cli, command.options)
  return { asks: 'work', options, args: readArguments(cli, command) }
}

/**
 * cac turns `1e5` into 100000 and takes `--flag=` for a switch; an API key or a path must stay the
 * text it is. A mark in front of each value keeps it text. It cannot occur in an argument itself.
 */
const mark = '\0'

function parse(command: Command, given: readonly string[]): CAC {
  refuseBadFlags(given, command.options)
  const cli = cac('tatum-kms')
  cli.option('-h, --help', '').option('-v, --version', '')
  const known = cli.command([command.name, ...command.args.map(arg => `[${arg}]`)].join(' '))
  for (const { name, value } of command.options) {
    known.option(value ? `--${name} <value>` : `--${name}`, '')
  }
  const end = given.includes('--') ? given.indexOf('--') : given.length
  const flags = given.slice(0, end).map(inOneSpelling)
  const args = [...flags, ...given.slice(end)].map(keepText)
  cli.parse(['', '', command.name, ...args], { run: false })
  return cli
}

/** Of an option in two spellings cac would keep one. */
function inOneSpelling(arg: string): string {
  return isFlag(arg) ? arg.replace(/^[^=]*/, kebab) : arg
}

function keepText(arg: string): string {
  if (!isFlag(arg)) return mark + arg
  const equals = arg.indexOf('=')
  return equals === -1 ? arg : `${arg.slice(0, equals + 1)}${mark}${arg.slice(equals + 1)}`
}

/** A value exactly where one belongs. */
function readOptions(cli: CAC, options: readonly Option[]): ReadonlyMap<string, string | true> {
  const given = new Map<string, string | true>()
  for (const { name, value, repeats = false } of options) {
    const found: unknown = cli.options[camel(name)]
    if (found === undefined) continue
    if (value === undefined) {
      if (found !== true) throw new KmsError('usage', `--${name} takes no value`)
      given.set(name, true)
      continue
    }
    // cac makes a list of what is given twice.
    const texts: readonly unknown[] = repeats && Array.isArray(found) ? found : [found]
    const text = texts.every(isFilled) ? texts.join(',').replaceAll(mark, '') : ''
    if (text === '') throw new KmsError('usage', `--${name} needs a value`)
    given.set(name, text)
  }
  return given
}

/** More than the mark in front of it. */
function isFilled(value: unknown): value is string {
  return typeof value === 'string' && value.length > mark.length
}

function readArguments(cli: CAC, { name, args }: Command): readonly string[] {
  const behindDashes: readonly string[] = cli.options['--'] ?? []
  const given = [...cli.args, ...behindDashes].map(arg => arg.replaceAll(mark, ''))
  const missing = args.find((arg, i) => !arg.startsWith('[') && given[i] === undefined)
  if (missing !== undefined) {
    throw new KmsError('usage', `${name} needs an argument: ${missing}`, {
      hint: `tatum-kms ${name} --help`,
    })
  }
  if (given.length > args.length) {
    // What was typed may be a secret: it is not repeated.
    throw new KmsError('usage', `${name} takes ${count(args.length)}, not ${given.length}`, {
      hint: 'secrets are never given on the command line',
    })
  }
  return given
}

function count(args: number): string {
  if (args === 0) return 'no arguments'
  return args === 1 ? 'one argument' : `${args} arguments`
}
