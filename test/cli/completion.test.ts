import { describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { commandGroups, commands, visibleCommands } from '../../src/cli/commands.ts'
import { manual } from '../../src/cli/manual.ts'
import { bashCompletion } from '../../src/cli/shell/bash.ts'
import { fishCompletion } from '../../src/cli/shell/fish.ts'
import { zshCompletion } from '../../src/cli/shell/zsh.ts'

const texts = [
  ['bash', bashCompletion(visibleCommands)],
  ['zsh', zshCompletion(visibleCommands)],
  ['fish', fishCompletion(visibleCommands)],
  ['the manual', manual(commandGroups, '1.2.3').replaceAll('\\-', '-')],
] as const

describe.each(texts)('%s', (_, text) => {
  test.each(visibleCommands.map(({ name }) => name))('knows %s', name => {
    expect(text).toContain(name)
  })

  test('knows every option and no hidden command', () => {
    for (const { name } of visibleCommands.flatMap(({ options }) => options)) {
      expect(text).toMatch(new RegExp(`(--|-l )${name}\\b`))
    }
    for (const { name } of commands.filter(({ hidden }) => hidden)) {
      expect(text).not.toMatch(new RegExp(`^\\s*(\\.B )?${name}\\)?$`, 'm'))
    }
  })
})

describe('what bash completes', () => {
  test.each([
    [
      ['tatum-kms', 'gene'],
      ['generatewallet', 'generatemanagedwallet'],
    ],
    [['tatum-kms', 'generatewallet', 'BT'], ['BTC']],
    [
      ['tatum-kms', 'getaddress', '--password-f'],
      ['--password-file=', '--password-fd='],
    ],
    [
      ['tatum-kms', 'completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
  ])('%j', (words, expected) => {
    expect(completionsOf(words)).toEqual(expect.arrayContaining([...expected]))
  })
})

test.skipIf(Bun.which('man') === null)('man finds nothing to complain about', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kms-man-'))
  try {
    const page = join(folder, 'tatum-kms.1')
    writeFileSync(page, manual(commandGroups, '1.2.3'))
    const run = Bun.spawnSync(['man', '--warnings', '-l', page], {
      env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C.UTF-8', MANWIDTH: '80' },
    })
    expect(run.stderr.toString()).toBe('')
    expect(run.stdout.toString()).toContain('storemanagedprivatekey CHAIN')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

/** Runs the script in a real bash, as pressing tab behind `words` would. */
function completionsOf(words: readonly string[]): readonly string[] {
  const script = [
    bashCompletion(visibleCommands),
    'compopt() { :; }',
    `COMP_WORDS=(${words.map(word => `'${word}'`).join(' ')})`,
    `COMP_CWORD=${words.length - 1}`,
    `_tatum_kms tatum-kms '${words.at(-1)}' '${words.at(-2)}'`,
    `printf '%s\\n' "\${COMPREPLY[@]}"`,
  ].join('\n')
  const run = Bun.spawnSync(['bash', '--norc', '-c', script])
  expect(run.stderr.toString()).toBe('')
  return run.stdout.toString().split('\n').filter(Boolean)
}
