import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { KmsError } from '../../src/base/errors.ts'
import { chains } from '../../src/chains/index.ts'
import { chainNames } from '../../src/chains/names.ts'
import { readCommandLine } from '../../src/cli/app.ts'
import type { Command, Option } from '../../src/cli/command.ts'
import { commandGroups, commands, visibleCommands } from '../../src/cli/commands.ts'
import { camel } from '../../src/cli/flags.ts'
import { commandHelp, help } from '../../src/cli/help.ts'
import { manual } from '../../src/cli/manual.ts'
import { nearest } from '../../src/cli/nearest.ts'
import { refusal } from '../support/refusal.ts'

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)
const readme = readFileSync(join(import.meta.dir, '../../README.md'), 'utf8')

test('the names of the chains are those of the registry', () => {
  const names: readonly (readonly string[])[] = chainNames
  expect(names).toEqual(chains.map(({ id, name }) => [id, name]))
})

test('the table of the README lists the commands of the help, with their words', () => {
  const rows = [...readme.matchAll(/^\| `([a-z-]+)([^`]*)` \| (.+) \|$/gm)]
  expect(rows.map(([, name]) => name)).toEqual(visibleCommands.map(({ name }) => name))
  for (const [, name = '', args = '', about] of rows) {
    const command = visibleCommands.find(other => other.name === name)
    expect(args.trim().split(' ').filter(Boolean)).toHaveLength(command?.args.length ?? -1)
    expect(about).toBe(command?.about.replace('original tatum-kms', 'original'))
  }
})

describe('each command', () => {
  const page = manual(commandGroups, '1.2.3')
  test.each(visibleCommands)(
    '$name has examples that it takes, in its help and in the manual',
    command => {
      expect(command.examples.length).toBeGreaterThan(0)
      for (const example of command.examples) {
        const [name = '', ...rest] = example.split(/ [<>|] /)[0]?.split(' ') ?? []
        expect(name).toBe(command.name)
        expect(readCommandLine(command, rest).asks).toBe('work')
        expect(`${commandHelp(command)}\n`).toContain(`\n  tatum-kms ${example}\n`)
        expect(page.replaceAll('\\-', '-')).toContain(`\ntatum-kms ${example}\n`)
      }
    },
  )

  test('is in one group, and those that we start ourselves are in none', () => {
    const grouped = commandGroups.flatMap(group => group.commands)
    expect(new Set(grouped).size).toBe(grouped.length)
    expect(commands.filter(({ hidden }) => !hidden)).toEqual(grouped)
  })
})

describe('help', () => {
  const pages = [['all', help()], ...commands.map(one => [one.name, commandHelp(one)])]
  test.each(pages)('of %s fits 80 columns', (_, page = '') => {
    for (const line of page.split('\n')) {
      expect(line.length).toBeLessThanOrEqual(80)
      expect(line).toBe(line.trimEnd())
    }
  })

  test.each(visibleCommands)('of $name names each of its options', command => {
    const page = commandHelp(command)
    for (const { name, value } of command.options) {
      expect(page).toContain(value ? `  --${name}=${value}` : `  --${name}`)
    }
  })
})

const taken = commands.flatMap(command => command.options.map(option => ({ command, option })))
const argsOf = (command: Command) => command.args.map((_, i) => `a${i}`)
const spellings = ({ name }: Option) => [`--${name}`, `--${camel(name)}`]

function work(command: Command, ...flags: readonly string[]) {
  const line = readCommandLine(command, [...argsOf(command), ...flags])
  if (line.asks !== 'work') throw new Error(`it asks for ${line.asks}`)
  return line
}

describe('each option', () => {
  test('has a name in kebab case, once', () => {
    for (const { options } of commands) {
      const names = options.map(({ name }) => name)
      expect(new Set(names).size).toBe(names.length)
      for (const name of names) expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/)
    }
  })

  test.each(taken)(
    '$command.name --$option.name is read in both spellings',
    ({ command, option }) => {
      for (const flag of spellings(option)) {
        if (option.value === undefined) {
          expect(work(command, flag)).toEqual({
            asks: 'work',
            options: new Map([[option.name, true]]),
            args: argsOf(command),
          })
          expect(() => work(command, `${flag}=true`)).toThrow(refusal('usage', /takes no value/))
          continue
        }
        for (const flags of [[`${flag}=x y`], [flag, 'x y']]) {
          const { options, args } = work(command, ...flags)
          expect([...options]).toEqual([[option.name, 'x y']])
          expect(args).toEqual(argsOf(command))
        }
        expect(() => work(command, flag)).toThrow(refusal('usage', /needs a value/))
        expect(() => work(command, `${flag}=`)).toThrow(refusal('usage', /needs a value/))
      }
    },
  )

  const repeated = taken.filter(({ option }) => option.repeats)
  test.each(repeated)('$command.name --$option.name is taken twice', ({ command, option }) => {
    for (const one of spellings(option)) {
      for (const other of spellings(option)) {
        const { options } = work(command, `${one}=x`, other, 'y,z', `${one}=1e5`)
        expect([...options]).toEqual([[option.name, 'x,y,z,1e5']])
        for (const bad of [`${other}=`, other]) {
          expect(() => work(command, `${one}=x`, bad)).toThrow(refusal('usage', /needs a value/))
        }
      }
    }
  })

  const single = taken.filter(({ option }) => !option.repeats)
  test.each(single)('$command.name --$option.name is taken once', ({ command, option }) => {
    const value = option.value === undefined ? '' : '=x'
    for (const one of spellings(option)) {
      for (const other of spellings(option)) {
        expect(() => work(command, one + value, other + value)).toThrow(
          refusal('usage', /is given twice/),
        )
      }
    }
  })
})

const exportCommand = commands.find(({ name }) => name === 'export') ?? commands[0]
if (exportCommand === undefined) throw new Error('no commands')

describe('a value', () => {
  test.each([
    '1e5',
    '0x10',
    '007',
    '1.0',
    '-1',
    'true',
    'false',
    'null',
    ' ',
    '=',
    'a=b',
    '--path',
    '*',
    '~',
    '…',
    "'",
  ])('of %p stays the text it is', text => {
    expect(work(exportCommand, `--path=${text}`).options.get('path')).toBe(text)
  })

  test('of any text comes back as it was given', () => {
    const text = fc.string({ unit: 'binary', minLength: 1 }).filter(value => !value.includes('\0'))
    fc.assert(
      fc.property(text, value => {
        expect(work(exportCommand, `--path=${value}`).options.get('path')).toBe(value)
      }),
      { numRuns },
    )
  })
})

test('any command line is read or refused as a usage error, never a crash', () => {
  const word = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.constantFrom('--path', '--path=x', '--', '-', '--=', '---', '-h', '--help=1', '--no-path'),
    fc.constantFrom('--__proto__', '--__proto__.x=1', '--path.x=1', '--constructor', '-1', '-p'),
  )
  const line = fc.array(
    word.filter(text => !text.includes('\0')),
    { maxLength: 5 },
  )
  fc.assert(
    fc.property(fc.constantFrom(...commands), line, (command, given) => {
      try {
        readCommandLine(command, given)
      } catch (fault) {
        expect(fault).toBeInstanceOf(KmsError)
        expect(fault).toEqual(refusal('usage'))
      }
    }),
    { numRuns: numRuns * 10 },
  )
  expect(Object.keys(Object.prototype)).toEqual([])
})

describe('the nearest name', () => {
  const names = visibleCommands.map(({ name }) => name)
  test.each([
    ['getadress', 'getaddress'],
    ['export-', 'export'],
    ['exprot', 'export'],
    ['storemanagedkey', undefined],
    ['x', undefined],
    ['', undefined],
    ['a'.repeat(50), undefined],
  ])('to %p is %p', (typed, wanted) => {
    expect(nearest(typed, names)).toBe(wanted)
  })
})
