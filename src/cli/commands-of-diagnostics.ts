import type { Command } from './command.ts'
import { policyOptions, reachOptions } from './daemon-options.ts'
import { apiKey, insecureHttp, journal, lease, vaultOptions } from './shared-options.ts'

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
    about: 'check machine, vault, files and whom the daemon talks to, changing nothing',
    examples: [
      'doctor --json --password-file=/etc/tatum-kms/password',
      'doctor --external-url=https://approver.internal/check',
    ],
    options: [
      { name: 'json', about: 'as JSON' },
      { name: 'online', about: 'ask the Tatum API also without an API key' },
      { name: 'offline', about: 'ask nobody, whatever is configured' },
      {
        name: 'external-url',
        value: 'URL',
        about: 'the approval server, which is asked for nothing',
      },
      apiKey,
      ...policyOptions,
      journal,
      lease,
      ...reachOptions,
      insecureHttp,
      ...vaultOptions,
    ],
    load: async () => (await import('./commands/doctor.ts')).doctor,
  },
  {
    name: 'selftest',
    args: [],
    about: 'try every primitive and chain on published vectors (status 1: one failed)',
    examples: ['selftest', 'selftest --json'],
    options: [{ name: 'json', about: 'as JSON' }],
    load: async () => (await import('./commands/selftest.ts')).selftest,
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
