import type { Command } from './command.ts'

/** Processes that we start ourselves. */
export const ownProcesses: readonly Command[] = [
  {
    name: 'confine-front',
    args: ['reach'],
    about: 'becomes the network side of the daemon',
    examples: [],
    options: [],
    hidden: true,
    load: async () => (await import('./commands/confine-front.ts')).confineFront,
  },
  {
    name: 'front',
    args: ['start'],
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
    name: 'ask-network',
    args: [],
    about: 'asks over the network what doctor wants to know',
    examples: [],
    options: [],
    hidden: true,
    load: async () => (await import('./commands/ask-network.ts')).askNetwork,
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
