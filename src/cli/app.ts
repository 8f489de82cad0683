import { type CAC, cac } from 'cac'
import { asKmsError, KmsError } from '../base/errors.ts'
import { type Command, commands } from './commands.ts'
import { exitStatus } from './exit.ts'
import { commandHelp, help } from './help.ts'
import { terminal } from './terminal.ts'
import { version } from './version.ts'

/** Runs one command line and answers its exit status. */
export async function run(argv: readonly string[]): Promise<number> {
  try {
    return await dispatch(argv)
  } catch (thrown) {
    const { code, message, hint } = asKmsError(thrown)
    terminal.error(message, hint)
    return exitStatus[code]
  }
}

async function dispatch(argv: readonly string[]): Promise<number> {
  const { command, args, options } = parse(argv)
  if (command === undefined) {
    terminal.answer(options.has('version') ? version : help())
    return 0
  }
  if (options.has('help')) {
    terminal.answer(commandHelp(command))
    return 0
  }
  const { createContext } = await import('./context.ts')
  const action = await command.load()
  return action(createContext(options), args)
}

type Parsed = {
  readonly command: Command | undefined
  readonly args: readonly string[]
  readonly options: ReadonlyMap<string, string | true>
}

/**
 * cac turns `1e5` into 100000 and takes `--flag=` for a switch; an API key or a path must stay the
 * text it is. A mark in front of each value keeps it text. It cannot occur in an argument itself.
 */
const mark = '\0'

function parse(argv: readonly string[]): Parsed {
  const cli = createCli()
  const [name = '', ...rest] = argv
  const command = commands.find(known => known.name === name)
  if (command === undefined && !name.startsWith('-') && name !== '') throw unknownCommand()
  cli.parse(['', '', ...(command ? [name] : [name].filter(Boolean)), ...rest.map(keepText)], {
    run: false,
  })
  const options = readOptions(cli, command)
  const args = cli.args.map(arg => String(arg).replaceAll(mark, ''))
  if (command && !options.has('help')) checkArgs(command, args)
  return { command, args, options }
}

function createCli(): CAC {
  const cli = cac('tatum-kms')
  cli.option('-h, --help', '').option('-v, --version', '')
  for (const { name, args, options } of commands) {
    const command = cli.command([name, ...args.map(arg => `[${arg}]`)].join(' '))
    for (const option of options) {
      command.option(option.value ? `--${option.name} <value>` : `--${option.name}`, '')
    }
  }
  return cli
}

function keepText(arg: string): string {
  if (!arg.startsWith('-')) return mark + arg
  const equals = arg.indexOf('=')
  return equals === -1 ? arg : `${arg.slice(0, equals + 1)}${mark}${arg.slice(equals + 1)}`
}

/** What cac found, checked: nothing unknown, nothing twice, a value exactly where one belongs. */
function readOptions(cli: CAC, command: Command | undefined): ReadonlyMap<string, string | true> {
  const known = new Map(command?.options.map(option => [camel(option.name), option]))
  const options = new Map<string, string | true>()
  for (const [name, value] of Object.entries(cli.options)) {
    if (name === '--') continue
    if (['help', 'h', 'version', 'v'].includes(name)) {
      options.set(name.startsWith('h') ? 'help' : 'version', true)
      continue
    }
    const option = known.get(name)
    if (option === undefined)
      throw unknownOption(
        name,
        [...known.values()].map(o => o.name),
      )
    const flag = `--${option.name}`
    if (Array.isArray(value)) throw new KmsError('usage', `${flag} is given twice`)
    if (option.value === undefined) {
      if (value !== true) throw new KmsError('usage', `${flag} takes no value`)
      options.set(option.name, true)
    } else {
      if (typeof value !== 'string') throw new KmsError('usage', `${flag} needs a value`)
      options.set(option.name, value.replaceAll(mark, ''))
    }
  }
  return options
}

function checkArgs({ name, args }: Command, given: readonly string[]): void {
  const missing = args.find((arg, i) => !arg.startsWith('[') && given[i] === undefined)
  if (missing !== undefined) {
    throw new KmsError('usage', `${name} needs an argument: ${missing}`, {
      hint: `tatum-kms ${name} --help`,
    })
  }
  if (given.length > args.length) {
    // What was typed may be a secret: it is not repeated.
    throw new KmsError('usage', `${name} takes ${args.length} arguments, not ${given.length}`, {
      hint: 'secrets are never given on the command line',
    })
  }
}

function unknownCommand(): KmsError {
  return new KmsError('usage', 'unknown command', { hint: 'tatum-kms --help lists them all' })
}

function unknownOption(name: string, known: readonly string[]): KmsError {
  const typed = kebab(name)
  const near = known.find(option => option.startsWith(typed) || typed.startsWith(option))
  const message = /^[\w-]{1,40}$/.test(typed) ? `unknown option --${typed}` : 'unknown option'
  return new KmsError('usage', message, {
    hint: near ? `did you mean --${near}` : 'tatum-kms COMMAND --help lists what there is',
  })
}

function camel(kebabCase: string): string {
  return kebabCase.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

function kebab(camelCase: string): string {
  return camelCase.replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
}
