import type { Command } from './command.ts'
import { apiKey, insecureHttp, journal, testnet, vaultOptions } from './shared-options.ts'

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
      { name: 'period', value: 'SECONDS', about: 'time between polls (default: 5)' },
      { name: 'chain', value: 'LIST', about: 'only these chains, separated by commas' },
      { name: 'wallets', value: 'LIST', about: 'only these signatureIds, separated by commas' },
      { name: 'transaction-ids', value: 'LIST', about: 'only these pending transactions' },
      { name: 'external-url', value: 'URL', about: 'approval server; required on main networks' },
      { name: 'external-url-method', value: 'GET|POST', about: 'how it is asked (default: GET)' },
      apiKey,
      journal,
      {
        name: 'verify-inputs',
        value: 'auto|require|off',
        about: 'look up what legacy UTXO inputs hold; auto: where it can be had (default: auto)',
      },
      { name: 'run-once', about: 'poll once, finish what was found, exit' },
      { name: 'accept-rollback', about: 'an older copy of the vault was put back on purpose' },
      {
        name: 'accept-nonce',
        value: 'LIST',
        about: 'addresses whose nonce may be far ahead of what was signed here',
      },
      insecureHttp,
      testnet,
      ...vaultOptions,
    ],
    load: async () => (await import('./commands/daemon.ts')).daemon,
  },
  {
    name: 'tx',
    args: ['list|show|cancel|resign', '[id]'],
    about: 'the payments; cancel: never pay one; resign: an expired one (look it up before)',
    examples: ['tx list --state=denied', 'tx show 650c1f0e7d3b2a0012345678'],
    options: [
      { name: 'state', value: 'STATE', about: 'list: only payments in this state' },
      { name: 'chain', value: 'LIST', about: 'list: only these chains, separated by commas' },
      { name: 'json', about: 'list, show: as JSON' },
      { name: 'external-url', value: 'URL', about: 'resign: as with daemon, which must not run' },
      { name: 'external-url-method', value: 'GET|POST', about: 'resign: as with daemon' },
      journal,
      apiKey,
      insecureHttp,
      testnet,
      ...vaultOptions,
    ],
    load: async () => (await import('./commands/tx.ts')).tx,
  },
]
