import type { Command } from './command.ts'

/** Processes that we start ourselves. */
export const ownProcesses: readonly Command[] = [
  {
    name: 'front',
    args: [],
    about: 'the network side of the daemon',
    examples: [],
    options: [],
    hidden: true,
    load: async () => (await import('./commands/front.ts')).front,
  },
  {
    name: 'signer',
    args: ['settings'],
    about: 'the keyed side of the daemon',
    examples: [],
    options: [],
    hidden: true,
    load: async () => (await import('./commands/signer.ts')).signer,
  },
  {
    name: 'fetch-password',
    args: ['manager'],
    about: 'asks a secret manager for the password',
    examples: [],
    options: [],
    hidden: true,
    load: async () => (await import('./commands/fetch-password.ts')).fetchPassword,
  },
]
