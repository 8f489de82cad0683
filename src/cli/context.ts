import { join, resolve } from 'node:path'
import { isatty } from 'node:tty'
import { commonRefusals, confineCalls, networkRefusals } from '../base/confinement.ts'
import { realDisk } from '../base/disk.ts'
import { KmsError } from '../base/errors.ts'
import type { Network } from '../base/model.ts'
import { isCompiled } from '../base/program.ts'
import { fetchInChild } from '../password/fetch-child.ts'
import { type ManagerName, managerNames, managers } from '../password/managers/names.ts'
import { promptSecret } from '../password/prompt.ts'
import {
  credentialSource,
  fdSource,
  fileSource,
  type PasswordSource,
  promptSource,
  wholeSource,
} from '../password/source.ts'
import { readSecretLine } from '../secret/input.ts'
import { defaultCost, type ScryptCost } from '../secret/kdf.ts'
import { lockingFailed, type SecretMemory, useSecretMemory } from '../secret/memory.ts'
import { randomPublicBytes } from '../secret/random.ts'
import type { Secret } from '../secret/secret.ts'
import { checkFolder, type VaultPlace, vaultExists } from '../vault/vault.ts'
import { isJournal } from './journal-stream.ts'
import { markPriorities, type Terminal, terminal } from './terminal.ts'
import {
  createVariables,
  databasePassword,
  environmentVariable,
  hideVariables,
  homeFolder,
  journalAddress,
  passwordVariable,
  takePassword,
  type Variables,
} from './variables.ts'

/** Options as given, by kebab-case name; a switch is `true`. */
export type Options = ReadonlyMap<string, string | true>

/** The world a command may use: the only way to its flags, the environment and the clock. */
export type Context = Pick<Variables, 'variable' | 'privateVariable' | 'originOf' | 'envFile'> & {
  readonly terminal: Terminal
  readonly network: Network
  readonly place: VaultPlace
  readonly secretMemory: SecretMemory
  /** What a password slot made now costs to open. */
  readonly cost: ScryptCost
  /** Milliseconds since 1970. */
  now(): number
  /** Milliseconds since some time, whatever the clock is set to. */
  monotonic(): number
  text(option: string): string | undefined
  isSet(option: string): boolean
  /** The number of an open descriptor; `flag` is named when it is none. */
  descriptor(text: string, flag: string): number
  /** The vault's password from the first source that is given; the caller wipes it. */
  password(vault?: VaultPlace): Secret
  /** The same for a process that starts others: `password` gives that up, and the network. */
  passwordToPassOn(vault?: VaultPlace): Secret
  /** The secret manager that is asked for the password, if nothing goes before it. */
  readonly manager: ManagerName | undefined
  /** True when TATUM_KMS_PASSWORD was set; it is gone from the environment since. */
  readonly hasPassword: boolean
  /** A mnemonic or key to store: asked for at the terminal, or the first line of stdin. */
  askSecret(question: string): Secret
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** How to start this program again: the binary itself, or Bun and the source file. */
  readonly self: readonly [string, ...string[]]
  /** Calls `stop` when the system or a person asks this process to end. */
  onStopSignal(stop: (signal: 'SIGINT' | 'SIGTERM') => void): void
  /** Calls `reload` when the system or a person asks this process to read its rules again. */
  onReloadSignal(reload: () => void): void
  /** From 0 to 1, for spreading retries. */
  random(): number
}

const defaultLockWaitMs = 120_000

export function createContext(options: Options): Context {
  const text = (name: string): string | undefined => {
    const value = options.get(name)
    return typeof value === 'string' ? value : undefined
  }
  if (isJournal()) markPriorities()
  const secretMemory = secretMemoryOf(text('secret-memory'))
  const manager = givenManager(options)
  const environment = takePassword()
  for (const { variables } of Object.values(managers)) hideVariables(variables)
  hideVariables([journalAddress, databasePassword])
  const variables = createVariables(text('env-file'))
  const lockWaitMs = lockWait(text('lock-wait'))
  const place = (): VaultPlace => ({ disk: realDisk, path: vaultPath(text('path')), lockWaitMs })
  const self = isCompiled()
    ? ([process.execPath] as const)
    : ([process.execPath, Bun.main] as const)
  const given = { text, manager, environment, variables, self }
  return {
    terminal,
    network: options.has('testnet') ? 'testnet' : 'mainnet',
    // Not before it is asked for: the daemon's own processes run without a home folder.
    get place() {
      return place()
    },
    secretMemory,
    now: () => Date.now(),
    monotonic: () => performance.now(),
    text,
    isSet: name => options.has(name),
    cost: scryptCost(text('kdf-cost')),
    descriptor,
    ...variables,
    manager,
    hasPassword: environment !== undefined,
    password(vault = place()) {
      const password = readPassword(vault, given)
      // Nothing is said where the system has no such thing: doctor says it.
      confineCalls([...commonRefusals, ...networkRefusals])
      return password
    },
    passwordToPassOn: (vault = place()) => readPassword(vault, given),
    askSecret: question => (isatty(0) ? promptSecret(question) : secretFromStdin(question)),
    sleep,
    self,
    onStopSignal(stop) {
      for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop(signal))
    },
    onReloadSignal(reload) {
      process.on('SIGHUP', reload)
    },
    random: () => Buffer.from(randomPublicBytes(4)).readUInt32BE() / 2 ** 32,
  }
}

function readPassword(vault: VaultPlace, given: Given): Secret {
  for (const warning of checkFolder(vault)) terminal.warn(warning)
  const password = passwordSource(given).read(!vaultExists(vault))
  const unlocked = lockingFailed()
  if (unlocked !== undefined) terminal.warn(`memory could not be locked: ${unlocked}`)
  return password
}

function vaultPath(given: string | undefined): string {
  return resolve(given ?? join(homeFolder(), '.tatumrc', 'wallet.dat'))
}

/** The password is in one place: two managers are a mistake. */
function givenManager(options: Options): ManagerName | undefined {
  const [first, second] = managerNames.filter(name => options.has(name))
  if (second === undefined) return first
  throw new KmsError(
    'usage',
    `--${first} and --${second} are given: the password is in one of them`,
  )
}

type Given = Pick<Context, 'text' | 'manager' | 'self'> & {
  /** Of TATUM_KMS_PASSWORD. */
  readonly environment: Secret | undefined
  readonly variables: Variables
}

/** First that is given: descriptor, file, credential, secret manager, variable, a person. */
function passwordSource({ text, manager, self, environment, variables }: Given): PasswordSource {
  const { privateVariable: variable, passwordOfFile } = variables
  const fd = text('password-fd')
  if (fd !== undefined) return fdSource(descriptor(fd, '--password-fd'))
  const file = text('password-file')
  if (file !== undefined) return fileSource(file)
  const folder = environmentVariable('CREDENTIALS_DIRECTORY')
  const credential = folder === undefined ? undefined : credentialSource(folder)
  if (credential !== undefined) return credential
  if (manager !== undefined) {
    const name = `the secret in ${managers[manager].label}`
    return wholeSource(name, () => fetchInChild({ self, manager, variable }))
  }
  if (environment !== undefined) {
    terminal.warn(`${passwordVariable} is visible to other programs of this user`)
    return wholeSource(passwordVariable, () => environment)
  }
  const stored = passwordOfFile()
  if (stored !== undefined) return wholeSource(passwordVariable, () => stored)
  return promptSource
}

function secretFromStdin(question: string): Secret {
  const secret = readSecretLine(0)
  if (secret !== undefined && secret.length > 0) return secret
  throw new KmsError('usage', `stdin is not a terminal and its first line is empty: ${question}`)
}

function descriptor(text: string, flag: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text)
  throw new KmsError('usage', `${flag} takes the number of an open descriptor`)
}

/** 128 · N · r bytes at most 1 GiB: what every reader accepts. */
function scryptCost(text: string | undefined): ScryptCost {
  if (text === undefined) return defaultCost
  const log2N = /^\d{2}$/.test(text) ? Number(text) : 0
  if (log2N >= 14 && log2N <= 20) return { ...defaultCost, log2N }
  throw new KmsError('usage', '--kdf-cost takes 14 to 20: scrypt uses 2^COST KiB of memory')
}

/** Settled before the first secret: where one lies is not changed later. */
function secretMemoryOf(text = 'auto'): SecretMemory {
  if (text !== 'auto' && text !== 'locked') {
    throw new KmsError('usage', '--secret-memory is auto or locked')
  }
  useSecretMemory(text)
  return text
}

function lockWait(text: string | undefined): number {
  if (text === undefined) return defaultLockWaitMs
  if (/^\d{1,5}$/.test(text)) return Number(text) * 1000
  throw new KmsError('usage', '--lock-wait takes a whole number of seconds')
}

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  const { promise, resolve: wake } = Promise.withResolvers<void>()
  if (signal?.aborted) return Promise.resolve()
  const onAbort = (): void => wake()
  const timer = setTimeout(wake, ms)
  signal?.addEventListener('abort', onAbort)
  return promise.finally(() => {
    clearTimeout(timer)
    // One signal outlives thousands of sleeps.
    signal?.removeEventListener('abort', onAbort)
  })
}
