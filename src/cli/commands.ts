import type { Command, CommandGroup } from './command.ts'
import { bundleCommands } from './commands-of-bundles.ts'
import { daemonCommands } from './commands-of-daemon.ts'
import { diagnosticCommands } from './commands-of-diagnostics.ts'
import { ownProcesses } from './commands-of-processes.ts'
import { serviceCommands, serviceProcesses } from './commands-of-services.ts'
import { vaultCommands } from './commands-of-vault.ts'
import { walletCommands } from './commands-of-wallets.ts'

/** Made of this table itself. */
const shellCommands: readonly Command[] = [
  {
    name: 'completion',
    args: ['bash|zsh|fish'],
    about: 'print a completion script for this shell',
    examples: ['completion bash > /etc/bash_completion.d/tatum-kms'],
    options: [],
    load: async () => (await import('./commands/completion.ts')).completion(visibleCommands),
  },
  {
    name: 'man',
    args: [],
    about: 'print the manual page',
    examples: ['man | man -l -'],
    options: [],
    load: async () => (await import('./commands/completion.ts')).man(commandGroups),
  },
]

/** The commands in the order of the help, which lists them by group. */
export const commandGroups: readonly CommandGroup[] = [
  { title: 'Daemon', commands: daemonCommands },
  { title: 'Service', commands: serviceCommands },
  { title: 'Air gap', commands: bundleCommands },
  { title: 'Wallets', commands: walletCommands },
  { title: 'Vault', commands: vaultCommands },
  { title: 'Diagnostics', commands: diagnosticCommands },
  { title: 'Shell', commands: shellCommands },
]

/** Without the processes that we start ourselves. */
export const visibleCommands: readonly Command[] = commandGroups.flatMap(({ commands }) => commands)

/** Every command: help, parsing, dispatch, completions and the manual all come from this table. */
export const commands: readonly Command[] = [
  ...visibleCommands,
  ...ownProcesses,
  ...serviceProcesses,
]
