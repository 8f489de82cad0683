import { chainNames } from '../chains/names.ts'
import type { Command, CommandGroup, Option } from './command.ts'
import { exitStatus } from './exit.ts'
import { settingsFolder, vaultFile } from './services/layout.ts'
import { usage } from './usage.ts'
import { usedVariables } from './used-variables.ts'

/** The manual page tatum-kms(1), in the language of man. */
export function manual(groups: readonly CommandGroup[], version: string): string {
  return [
    `.TH TATUM-KMS 1 "" "tatum-kms ${version}" "User Commands"`,
    '.SH NAME',
    'tatum\\-kms \\- keep blockchain keys in an encrypted vault and sign Tatum payments with them',
    '.SH SYNOPSIS',
    '.B tatum\\-kms',
    '.I COMMAND',
    '[options]',
    '.SH COMMANDS',
    ...groups.flatMap(({ title, commands }) => [`.SS ${title}`, ...commands.flatMap(section)]),
    '.SH CHAINS',
    `${chainNames.map(([id, name]) => `${id} (${escaped(name)})`).join(', ')}.`,
    '.SH ENVIRONMENT',
    ...usedVariables.flatMap(({ name, flag, usual, secret, manager }) => [
      '.TP',
      `.B ${name}`,
      [
        manager === undefined ? '' : `With \\-\\-${manager}.`,
        secret ? 'Secret.' : '',
        flag === undefined ? '' : `The option \\-\\-${escaped(flag)} goes before it.`,
        usual === undefined ? '' : `Default: ${escaped(usual)}.`,
      ]
        .filter(part => part !== '')
        .join(' ') || 'No default.',
    ]),
    '.SH EXIT STATUS',
    'The names are the codes in the log of the daemon. What does several things ends with 3 where only some were done.',
    ...statuses().flatMap(([status, codes]) => ['.TP', `.B ${status}`, `${escaped(codes)}.`]),
    '.SH FILES',
    '.TP',
    '.I ~/.tatumrc/wallet.dat',
    'The vault; beside it its backup (.bak), lock (.lock) and ledger (.ledger).',
    '.TP',
    '.I ~/.tatumrc/journal/',
    'What the daemon remembers of payments, and what it last said of itself (status.json).',
    '.TP',
    '.I ~/.tatumrc/.env',
    'Variables, if the environment does not have them.',
    '.TP',
    `.I ${escaped(settingsFolder)}/`,
    'Settings and sealed secrets of the service that install\\-service makes.',
    '.TP',
    `.I ${escaped(vaultFile)}`,
    'The vault of that service.',
  ].join('\n')
}

function section({ name, args, about, examples, options }: Command): readonly string[] {
  return [
    '.TP',
    `.B ${escaped(usage(name, args))}`,
    sentence(about),
    ...['.RS', '.PP', '.nf', ...examples.map(example => escaped(`tatum-kms ${example}`)), '.fi'],
    ...options.flatMap(item),
    '.RE',
  ]
}

function item({ name, value, about }: Option): readonly string[] {
  const flag = value === undefined ? `--${name}` : `--${name}=${value}`
  return ['.TP', `.B ${escaped(flag)}`, sentence(about)]
}

function sentence(about: string): string {
  return escaped(`${about.charAt(0).toUpperCase()}${about.slice(1)}.`)
}

/** Dashes that can be typed, and no line that man takes for a request. */
function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/, '\\&$1')
}

/** 0 and each other status with the names of what it stands for. */
function statuses(): readonly (readonly [number, string])[] {
  const names = new Map<number, string[]>([[0, ['done']]])
  for (const [name, status] of Object.entries(exitStatus)) {
    names.set(status, [...(names.get(status) ?? []), name])
  }
  return [...names]
    .toSorted(([a], [b]) => a - b)
    .map(([status, codes]) => [status, codes.join(', ')] as const)
}
