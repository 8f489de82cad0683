import type { Command } from './command.ts'
import {
  approverOptions,
  frontOptions,
  policyOptions,
  processOptions,
  signerOptions,
} from './daemon-options.ts'
import {
  apiKey,
  insecureHttp,
  journal,
  lease,
  path,
  share,
  testnet,
  vaultOptions,
} from './shared-options.ts'

/** The daemon and its payments. */
export const daemonCommands: readonly Command[] = [
  {
    name: 'daemon',
    args: [],
    about: 'poll Tatum for pending transactions, sign and broadcast them',
    examples: [
      'daemon --external-url=https://approver.internal/check',
      'daemon --testnet --chain=BTC,ETH --run-once',
    ],
    options: [
      ...frontOptions,
      ...approverOptions,
      ...signerOptions,
      ...processOptions,
      { name: 'run-once', about: 'poll once, finish what was found, exit' },
      testnet,
      ...vaultOptions,
    ],
    load: async () => (await import('./commands/daemon.ts')).daemon,
  },
  {
    name: 'status',
    args: [],
    about: 'what the running daemon does (status 3: none runs)',
    examples: ['status', 'status --json'],
    options: [{ name: 'json', about: 'as JSON' }, path, journal],
    load: async () => (await import('./commands/status.ts')).status,
  },
  {
    name: 'tx',
    args: ['list|show|retry|cancel|resign', '[id]'],
    about: 'the payments; retry: now; cancel: never; resign: an expired one (look it up)',
    examples: ['tx list --state=denied', 'tx show 650c1f0e7d3b2a0012345678'],
    options: [
      { name: 'state', value: 'STATE', about: 'list: only payments in this state' },
      { name: 'chain', value: 'LIST', about: 'list: only these chains, separated by commas' },
      { name: 'json', about: 'list, show: as JSON' },
      { name: 'external-url', value: 'URL', about: 'resign: as with daemon, which must not run' },
      { name: 'external-url-method', value: 'GET|POST', about: 'resign: as with daemon' },
      ...approverOptions,
      ...policyOptions,
      journal,
      lease,
      ...processOptions,
      apiKey,
      insecureHttp,
      testnet,
      ...vaultOptions,
    ],
    load: async () => (await import('./commands/tx.ts')).tx,
  },
  {
    name: 'policy',
    args: ['check|explain|replay', 'file', '[pending]'],
    about: 'what a policy says; explain: of pending transactions; replay: of the ledger',
    examples: [
      'policy check /etc/tatum-kms/policy/policy.toml',
      'policy explain policy.toml pending.json --chain=ETH',
      'policy replay policy.toml',
    ],
    options: [
      { name: 'json', about: 'explain, replay: as JSON' },
      { name: 'chain', value: 'CHAIN', about: 'explain: of transactions that do not name theirs' },
      share,
      testnet,
      ...vaultOptions,
    ],
    load: async () => (await import('./commands/policy.ts')).policy,
  },
  {
    name: 'audit',
    args: ['verify|head|export'],
    about: 'what the daemon has signed and decided; head: a line to keep elsewhere',
    examples: ['audit verify', 'audit export --json --since=2026-01-01'],
    options: [
      { name: 'head', value: 'LINE', about: 'verify: what audit head said once must be in it' },
      { name: 'json', about: 'export: one JSON object a line' },
      { name: 'since', value: 'TIME', about: 'export: not before this day or time, in UTC' },
      { name: 'until', value: 'TIME', about: 'export: before this day or time' },
      ...vaultOptions,
    ],
    load: async () => (await import('./commands/audit.ts')).audit,
  },
]
