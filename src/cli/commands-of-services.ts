import type { Command, Option } from './command.ts'
import { approverOptions, frontOptions, processOptions, signerOptions } from './daemon-options.ts'
import { path, testnet } from './shared-options.ts'

const requireHardening: Option = {
  name: 'require-hardening',
  about: 'end where the system cannot confine the process',
}
const envFile: Option = {
  name: 'env-file',
  value: 'FILE',
  about: 'variables (default: ~/.tatumrc/.env, if there)',
}

const placeOptions: readonly Option[] = [
  { name: 'dry-run', about: 'say what would be done, and do nothing' },
  { name: 'force', about: 'replace or remove files that were changed, too' },
  { name: 'root', value: 'FOLDER', about: 'of an image that is made: nothing is run or sealed' },
]

/** The daemon as a service of this machine. */
export const serviceCommands: readonly Command[] = [
  {
    name: 'install-service',
    args: [],
    about: 'make systemd run the daemon, with its password sealed to this machine',
    examples: ['install-service', 'install-service --split', 'install-service --dry-run'],
    options: [
      { name: 'split', about: 'signer and network process as two services of two users' },
      { name: 'binary', value: 'FILE', about: 'the program they run (default: this one)' },
      { name: 'new-credentials', about: 'ask again for the password and the API key' },
      ...placeOptions,
      { name: 'password-file', value: 'FILE', about: 'read the password from this file' },
      { name: 'password-fd', value: 'N', about: 'read the password from descriptor N' },
    ],
    load: async () => (await import('./commands/install-service.ts')).installService,
  },
  {
    name: 'uninstall-service',
    args: [],
    about: 'take the service away again, leaving vault and journal',
    examples: ['uninstall-service'],
    options: placeOptions,
    load: async () => (await import('./commands/uninstall-service.ts')).uninstallService,
  },
]

/** Processes that systemd starts: see systemd/. */
export const serviceProcesses: readonly Command[] = [
  {
    name: 'signer-service',
    args: [],
    about: 'the keyed process as a service of its own',
    examples: [],
    options: [
      { name: 'front-user', value: 'USER', about: 'who may connect: a name, or a number' },
      { name: 'others-sign', about: "daemons of other machines share the front's journal" },
      ...approverOptions,
      ...signerOptions,
      requireHardening,
      testnet,
      path,
      { name: 'password-file', value: 'FILE', about: 'read the password from this file' },
      { name: 'password-fd', value: 'N', about: 'read the password from descriptor N' },
      envFile,
      { name: 'lock-wait', value: 'SECONDS', about: 'wait this long for another signer' },
      { name: 'secret-memory', value: 'auto|locked', about: 'as with daemon' },
    ],
    hidden: true,
    load: async () => (await import('./commands/signer-service.ts')).signerService,
  },
  {
    name: 'front-service',
    args: [],
    about: 'the network process as a service of its own',
    examples: [],
    options: [
      { name: 'signer', value: 'PATH', about: "the signer's socket" },
      {
        name: 'state-folder',
        value: 'FOLDER',
        about: 'for the journal, and what it says of itself',
      },
      ...frontOptions,
      ...approverOptions,
      ...processOptions,
      testnet,
      envFile,
    ],
    hidden: true,
    load: async () => (await import('./commands/front-service.ts')).frontService,
  },
  {
    name: 'reload-service',
    args: ['pid'],
    about: 'has a service read its policy again',
    examples: [],
    options: [],
    hidden: true,
    load: async () => (await import('./commands/reload-service.ts')).reloadService,
  },
]
