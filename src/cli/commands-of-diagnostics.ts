import type { Command } from './command.ts'
import { apiKey, journal, vaultOptions } from './shared-options.ts'

/** What looks at how things are. */
export const diagnosticCommands: readonly Command[] = [
  {
    name: 'checkconfig',
    args: [],
    about: 'print every setting and where it comes from; secrets only as set or unset',
    examples: ['checkconfig --env-file=/etc/tatum-kms/env'],
    options: [apiKey, ...vaultOptions],
    load: async () => (await import('./commands/check-config.ts')).checkConfig,
  },
  {
    name: 'doctor',
    args: [],
    about: 'check the machine, the vault and the files beside it, changing nothing',
    examples: ['doctor', 'doctor --json --password-file=/etc/tatum-kms/password'],
    options: [{ name: 'json', about: 'as JSON' }, journal, ...vaultOptions],
    load: async () => (await import('./commands/doctor.ts')).doctor,
  },
  {
    name: 'report',
    args: ['signatureIds'],
    about: 'print what support asks for, about wallets separated by commas',
    examples: ['report e3015fc0-2112-4c8a-b8bf-353b86f63ba5'],
    options: vaultOptions,
    load: async () => (await import('./commands/report.ts')).report,
  },
]
