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
