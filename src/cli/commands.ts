import type { Command, Option } from './command.ts'

const testnet: Option = { name: 'testnet', about: 'use test networks instead of main networks' }
const vault: readonly Option[] = [
  { name: 'path', value: 'FILE', about: 'the vault file (default: ~/.tatumrc/wallet.dat)' },
  { name: 'password-file', value: 'FILE', about: 'read the password from this file' },
  { name: 'password-fd', value: 'N', about: 'read the password from descriptor N' },
  { name: 'aws', about: 'take the password from AWS Secrets Manager' },
  { name: 'azure', about: 'take the password from Azure Key Vault' },
  { name: 'vgs', about: 'take the password from VGS' },
  { name: 'hashicorp', about: 'take the password from HashiCorp Vault' },
  { name: 'env-file', value: 'FILE', about: 'variables (default: ~/.tatumrc/.env, if there)' },
  {
    name: 'lock-wait',
    value: 'SECONDS',
    about: 'wait this long for another writer (default: 120)',
  },
  {
    name: 'secret-memory',
    value: 'auto|locked',
    about: 'locked: without memfd_secret, which forbids hibernation (default: auto)',
  },
]

const pathStyle: Option = {
  name: 'path-style',
  value: 'NAME',
  about: "another derivation path: phantom for SOL's m/44'/501'/i'/0'",
}
const apiKeyOption: Option = {
  name: 'api-key',
  value: 'KEY',
  about: 'Tatum API key; better in TATUM_API_KEY',
}
const journal: Option = {
  name: 'journal',
  value: 'FOLDER',
  about: 'the journal (default: journal/ beside the vault)',
}
const insecureHttp: Option = {
  name: 'insecure-http',
  about: 'allow http to the Tatum API on another host',
}
const kdfCost: Option = {
  name: 'kdf-cost',
  value: 'COST',
  about: 'scrypt of a new password: 2^COST KiB (default: 17)',
}
const newPassword: readonly Option[] = [
  { name: 'new-password-file', value: 'FILE', about: 'read the new password from this file' },
  { name: 'new-password-fd', value: 'N', about: 'read the new password from descriptor N' },
  kdfCost,
]
const dropOthers: Option = {
  name: 'drop-others',
  about: 'drop passwords that are not at hand instead of asking for them',
}

/** Every command, in the order of the help. Help, parsing and dispatch all come from this table. */
export const commands: readonly Command[] = [
  {
    name: 'daemon',
    args: [],
    about: 'poll Tatum for pending transactions, sign and broadcast them',
    options: [
      { name: 'period', value: 'SECONDS', about: 'time between polls (default: 5)' },
      { name: 'chain', value: 'LIST', about: 'only these chains, separated by commas' },
      { name: 'wallets', value: 'LIST', about: 'only these signatureIds, separated by commas' },
      { name: 'transaction-ids', value: 'LIST', about: 'only these pending transactions' },
      { name: 'external-url', value: 'URL', about: 'approval server; required on main networks' },
      { name: 'external-url-method', value: 'GET|POST', about: 'how it is asked (default: GET)' },
      apiKeyOption,
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
      ...vault,
    ],
    load: async () => (await import('./commands/daemon.ts')).daemon,
  },
  {
    name: 'tx',
    args: ['list|show|cancel', '[id]'],
    about: 'the payments of the journal; cancel: never pay one, with the daemon stopped',
    options: [
      { name: 'state', value: 'STATE', about: 'list: only payments in this state' },
      { name: 'chain', value: 'LIST', about: 'list: only these chains, separated by commas' },
      { name: 'json', about: 'list, show: as JSON' },
      journal,
      apiKeyOption,
      insecureHttp,
      testnet,
      ...vault,
    ],
    load: async () => (await import('./commands/tx.ts')).tx,
  },
  {
    name: 'generatewallet',
    args: ['chain'],
    about: 'make a wallet and print it, storing nothing',
    options: [testnet, pathStyle],
    load: async () => (await import('./commands/generate-wallet.ts')).generateWallet,
  },
  {
    name: 'generatemanagedwallet',
    args: ['chain'],
    about: 'make a wallet and store it in the vault',
    options: [testnet, pathStyle, kdfCost, ...vault],
    load: async () => (await import('./commands/store-wallet.ts')).generateManagedWallet,
  },
  {
    name: 'storemanagedwallet',
    args: ['chain'],
    about: 'store a wallet given by its mnemonic',
    options: [testnet, pathStyle, kdfCost, ...vault],
    load: async () => (await import('./commands/store-wallet.ts')).storeManagedWallet,
  },
  {
    name: 'storemanagedprivatekey',
    args: ['chain'],
    about: 'store a single private key',
    options: [testnet, kdfCost, ...vault],
    load: async () => (await import('./commands/store-wallet.ts')).storeManagedPrivateKey,
  },
  {
    name: 'generatemanagedprivatekeybatch',
    args: ['chain', 'count'],
    about: 'make and store COUNT single private keys',
    options: [testnet, kdfCost, ...vault],
    load: async () => (await import('./commands/batch.ts')).generateBatch,
  },
  {
    name: 'getmanagedwallet',
    args: ['signatureId'],
    about: 'print a stored wallet with its secret',
    options: vault,
    load: async () => (await import('./commands/show-wallet.ts')).getManagedWallet,
  },
  {
    name: 'getprivatekey',
    args: ['signatureId', '[index]'],
    about: 'print a private key of a stored wallet',
    options: vault,
    load: async () => (await import('./commands/show-wallet.ts')).getPrivateKey,
  },
  {
    name: 'getaddress',
    args: ['signatureId', '[index]'],
    about: 'print an address of a stored wallet',
    options: [{ name: 'qr', about: 'draw it as a QR code, too (on stderr)' }, ...vault],
    load: async () => (await import('./commands/show-wallet.ts')).getAddress,
  },
  {
    name: 'removewallet',
    args: ['signatureId'],
    about: 'remove a wallet from the vault',
    options: vault,
    load: async () => (await import('./commands/remove-wallet.ts')).removeWallet,
  },
  {
    name: 'list',
    args: [],
    about: 'list the stored wallets, without a secret',
    options: [
      { name: 'chain', value: 'LIST', about: 'only these chains, separated by commas' },
      { name: 'network', value: 'mainnet|testnet', about: 'only this network' },
      { name: 'kind', value: 'mnemonic|key', about: 'only wallets of this kind' },
      { name: 'json', about: 'as JSON' },
      { name: 'public', about: 'as JSON, with paths and public keys' },
      ...vault,
    ],
    load: async () => (await import('./commands/list.ts')).list,
  },
  {
    name: 'export',
    args: [],
    about: 'print all stored wallets with their secrets',
    options: vault,
    load: async () => (await import('./commands/export.ts')).exportWallets,
  },
  {
    name: 'migrate',
    args: ['file'],
    about: 'bring a wallet file of the original tatum-kms into the vault',
    options: [
      {
        name: 'from-password-file',
        value: 'FILE',
        about: "read the old file's password from this file",
      },
      {
        name: 'from-password-fd',
        value: 'N',
        about: "read the old file's password from descriptor N",
      },
      kdfCost,
      ...vault,
    ],
    load: async () => (await import('./commands/migrate.ts')).migrate,
  },
  {
    name: 'changepassword',
    args: [],
    about: 'give the vault another password',
    options: [
      { name: 'rotate', about: 'make a new master key and seal every secret again' },
      dropOthers,
      ...newPassword,
      ...vault,
    ],
    load: async () => (await import('./commands/passwords.ts')).changePassword,
  },
  {
    name: 'password',
    args: ['add|remove|list', '[id]'],
    about: 'several passwords for one vault; removing one makes a new master key',
    options: [
      { name: 'label', value: 'TEXT', about: 'what a new password is called in the list' },
      dropOthers,
      ...newPassword,
      ...vault,
    ],
    load: async () => (await import('./commands/passwords.ts')).password,
  },
  {
    name: 'backup',
    args: ['create|verify', 'file'],
    about: 'copy the vault, or open a copy and derive every public value again',
    options: vault,
    load: async () => (await import('./commands/backup.ts')).backup,
  },
  {
    name: 'restore',
    args: ['file'],
    about: 'put a copy in the place of the vault',
    options: [{ name: 'force', about: 'also over a newer or another vault' }, ...vault],
    load: async () => (await import('./commands/backup.ts')).restore,
  },
  {
    name: 'inspect',
    args: [],
    about: "print the vault's header, without a password",
    options: vault.slice(0, 1),
    load: async () => (await import('./commands/inspect.ts')).inspect,
  },
  {
    name: 'checkconfig',
    args: [],
    about: 'print every setting and where it comes from; secrets only as set or unset',
    options: [apiKeyOption, ...vault],
    load: async () => (await import('./commands/check-config.ts')).checkConfig,
  },
  {
    name: 'doctor',
    args: [],
    about: 'check the machine, the vault and the files beside it, changing nothing',
    options: [{ name: 'json', about: 'as JSON' }, journal, ...vault],
    load: async () => (await import('./commands/doctor.ts')).doctor,
  },
  {
    name: 'report',
    args: ['signatureIds'],
    about: 'print what support asks for, about wallets separated by commas',
    options: vault,
    load: async () => (await import('./commands/report.ts')).report,
  },
  {
    name: 'completion',
    args: ['bash|zsh|fish'],
    about: 'print a completion script for this shell',
    options: [],
    load: async () => (await import('./commands/completion.ts')).completion(visibleCommands),
  },
  {
    name: 'man',
    args: [],
    about: 'print the manual page: tatum-kms man | man -l -',
    options: [],
    load: async () => (await import('./commands/completion.ts')).man(visibleCommands),
  },
  {
    name: 'front',
    args: [],
    about: 'the network side of the daemon',
    options: [],
    hidden: true,
    load: async () => (await import('./commands/front.ts')).front,
  },
  {
    name: 'signer',
    args: ['settings'],
    about: 'the keyed side of the daemon',
    options: [],
    hidden: true,
    load: async () => (await import('./commands/signer.ts')).signer,
  },
  {
    name: 'fetch-password',
    args: ['manager'],
    about: 'asks a secret manager for the password',
    options: [],
    hidden: true,
    load: async () => (await import('./commands/fetch-password.ts')).fetchPassword,
  },
]

/** Without the processes that we start ourselves. */
export const visibleCommands: readonly Command[] = commands.filter(({ hidden }) => !hidden)
