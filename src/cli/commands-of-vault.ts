import type { Command } from './command.ts'
import { dropOthers, kdfCost, newPasswordOptions, path, vaultOptions } from './shared-options.ts'

/** The vault as a file, and its passwords. */
export const vaultCommands: readonly Command[] = [
  {
    name: 'migrate',
    args: ['file'],
    about: 'bring a wallet file of the original tatum-kms into the vault',
    examples: [
      'migrate ~/.tatumrc/wallet.dat',
      'migrate old/wallet.dat --path=/var/lib/tatum-kms/wallet.dat',
    ],
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
      ...vaultOptions,
    ],
    load: async () => (await import('./commands/migrate.ts')).migrate,
  },
  {
    name: 'changepassword',
    args: [],
    about: 'give the vault another password',
    examples: ['changepassword --rotate'],
    options: [
      { name: 'rotate', about: 'make a new master key and seal every secret again' },
      dropOthers,
      ...newPasswordOptions,
      ...vaultOptions,
    ],
    load: async () => (await import('./commands/passwords.ts')).changePassword,
  },
  {
    name: 'password',
    args: ['add|remove|list', '[id]'],
    about: 'several passwords for one vault; removing one makes a new master key',
    examples: ['password add --label=backup', 'password list'],
    options: [
      { name: 'label', value: 'TEXT', about: 'what a new password is called in the list' },
      dropOthers,
      ...newPasswordOptions,
      ...vaultOptions,
    ],
    load: async () => (await import('./commands/passwords.ts')).password,
  },
  {
    name: 'backup',
    args: ['create|verify', 'file'],
    about: 'copy the vault, or open a copy and derive every public value again',
    examples: ['backup create /media/usb/wallet.dat', 'backup verify /media/usb/wallet.dat'],
    options: vaultOptions,
    load: async () => (await import('./commands/backup.ts')).backup,
  },
  {
    name: 'restore',
    args: ['file'],
    about: 'put a copy in the place of the vault',
    examples: ['restore /media/usb/wallet.dat'],
    options: [{ name: 'force', about: 'also over a newer or another vault' }, ...vaultOptions],
    load: async () => (await import('./commands/backup.ts')).restore,
  },
  {
    name: 'inspect',
    args: [],
    about: "print the vault's header, without a password",
    examples: ['inspect --path=/media/usb/wallet.dat'],
    options: [path],
    load: async () => (await import('./commands/inspect.ts')).inspect,
  },
]
