import type { Command } from './command.ts'
import { reachOptions, signerOptions } from './daemon-options.ts'
import { apiKey, insecureHttp, journal, testnet, vaultOptions } from './shared-options.ts'

/** Payments for a vault on a machine without network. */
export const bundleCommands: readonly Command[] = [
  {
    name: 'bundle',
    args: ['create|show|join|sign|send', '[file]'],
    about: 'sign on a machine without network: create and send online, sign offline',
    examples: [
      'bundle create --wallets=wallets.json --out=payments.json',
      'bundle sign payments.json --out=signed.json',
      'bundle send signed.json',
      'bundle show payments.json --qr',
      'bundle join --out=payments.json < scanned.txt',
    ],
    options: [
      { name: 'wallets', value: 'FILE', about: 'create: what list --public printed' },
      { name: 'out', value: 'FILE', about: 'create, join, sign: write it here, not to stdout' },
      { name: 'yes', about: 'sign: without asking about each payment' },
      { name: 'qr', about: 'show: as lines for QR codes, which are drawn on stderr' },
      {
        name: 'approver-key',
        value: 'KEY',
        about: 'refused: approvals are for payments of a daemon',
        repeats: true,
      },
      ...signerOptions,
      apiKey,
      journal,
      ...reachOptions,
      insecureHttp,
      testnet,
      ...vaultOptions,
    ],
    load: async () => (await import('./commands/bundle.ts')).bundle,
  },
]
