import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { visibleCommands } from '../src/cli/commands.ts'
import { camel, helpFlags, versionFlags } from '../src/cli/flags.ts'

const text = readFileSync(join(import.meta.dir, '../docs/operations.md'), 'utf8')
const [, section = ''] = text.split('\n## What differs from the original\n')
const rows = [...section.matchAll(/^\| `([^`]+)` \| (same|different) \| (.+) \|$/gm)]

/** protocol/original-behaviour.md 1, and the flags of tatum-kms 8.0.1. */
const original = [
  ...['daemon', 'generatewallet', 'generatemanagedwallet', 'storemanagedwallet'],
  ...['storemanagedprivatekey', 'generatemanagedprivatekeybatch', 'getmanagedwallet'],
  ...['getprivatekey', 'getaddress', 'export', 'removewallet', 'report', 'checkconfig'],
  ...['--path', '--period', '--chain', '--testnet', '--envFile', '--externalUrl'],
  ...['--externalUrlMethod', '--apiKey', '--runOnce', '--wallets', '--transactionIds'],
  ...['--aws', '--azure', '--vgs', '--help', '--version'],
]

test('each command and flag of the original is told of, once', () => {
  expect(rows.map(([, name]) => name)).toEqual(original)
})

test('what is told of is there', () => {
  const flags = visibleCommands.flatMap(({ options }) => options.map(({ name }) => name))
  const known = new Set([
    ...visibleCommands.map(({ name }) => name),
    ...[...flags, ...flags.map(camel)].map(name => `--${name}`),
    ...helpFlags,
    ...versionFlags,
  ])
  for (const [, name = ''] of rows) expect(known).toContain(name)
})

test('every command line it shows is one the program takes', () => {
  const lines = [...text.matchAll(/^tatum-kms ([\w-]+)(.*)$/gm)]
  expect(lines.length).toBeGreaterThan(5)
  for (const [, name = '', rest = ''] of lines) {
    const command = visibleCommands.find(known => known.name === name)
    const flags = [...rest.replace(/#.*/, '').matchAll(/--([\w-]+)/g)].map(([, flag = '']) => flag)
    const options = command?.options.map(option => option.name) ?? []
    for (const flag of flags) expect(options).toContain(flag)
    expect(command?.name).toBe(name)
  }
})
