import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { utf8 } from '../base/bytes.ts'
import { realDisk } from '../base/disk.ts'
import { KmsError } from '../base/errors.ts'
import { readGuarded } from '../base/guarded-file.ts'
import { overwriteEnvironment } from '../base/native.ts'
import { type Secret, secretFrom } from '../secret/secret.ts'
import { type EnvFile, maxEnvFileLength, readEnvFile } from './env-file.ts'

export const passwordVariable = 'TATUM_KMS_PASSWORD'
/** Of a shared journal, with its password: other users see what a command line says. */
export const journalAddress = 'TATUM_KMS_JOURNAL_URL'
/** As PostgreSQL's own programs read it. */
export const databasePassword = 'PGPASSWORD'

let taken: Secret | undefined

/**
 * Takes the password out of the environment, also out of the block the kernel shows, before anybody
 * is asked anything: whether it is used or not, it must not stand there meanwhile.
 */
export function takePassword(): Secret | undefined {
  const password = environmentVariable(passwordVariable)
  if (password === undefined) return taken
  delete process.env[passwordVariable]
  overwriteEnvironment(passwordVariable)
  taken = secretFrom(utf8(password))
  return taken
}

const hidden = new Map<string, string>()

/**
 * Takes variables out of the environment and out of the block the kernel shows. In this process they
 * can still be looked up.
 */
export function hideVariables(names: readonly string[]): void {
  for (const name of names) {
    const value = process.env[name]
    if (value === undefined || value === '') continue
    hidden.set(name, value)
    delete process.env[name]
    overwriteEnvironment(name)
  }
}

/** Of the environment of this process alone. */
export function environmentVariable(name: string): string | undefined {
  return hidden.get(name) ?? (process.env[name] || undefined)
}

/** What was set outside of the command line. */
export type Variables = {
  /** A variable's value, of the environment or else of the env file; an empty one is an unset one. */
  variable(name: string): string | undefined
  /** As `variable`, for what nobody else may read: then nobody else may read the env file. */
  privateVariable(name: string): string | undefined
  /** Where a variable's value comes from. */
  originOf(name: string): 'environment' | 'env file' | undefined
  /** The env file that is read: `--env-file`, or ~/.tatumrc/.env if it is there. */
  envFile(): string | undefined
  /** The password of the env file, which then must be readable by its owner only. */
  passwordOfFile(): Secret | undefined
}

/** The env file is read when something is first looked up that the environment does not have. */
export function createVariables(given: string | undefined): Variables {
  let read: FoundFile | 'none' | undefined
  const load = (): FoundFile | undefined => {
    read ??= findEnvFile(given) ?? 'none'
    return read === 'none' ? undefined : read
  }
  const ofFile = (name: string): string | undefined => load()?.file.get(name) || undefined
  const ofPrivateFile = (name: string): string | undefined => {
    const [found, value] = [load(), ofFile(name)]
    if (found !== undefined && value !== undefined) refuseReadable(found)
    return value
  }
  return {
    variable: name => environmentVariable(name) ?? ofFile(name),
    privateVariable: name => environmentVariable(name) ?? ofPrivateFile(name),
    originOf(name) {
      if (environmentVariable(name) !== undefined) return 'environment'
      return ofFile(name) === undefined ? undefined : 'env file'
    },
    envFile: () => load()?.path,
    passwordOfFile() {
      const password = ofPrivateFile(passwordVariable)
      return password === undefined ? undefined : secretFrom(utf8(password))
    },
  }
}

type FoundFile = { readonly path: string; readonly file: EnvFile }

/** Others may read settings, but no secret. */
function refuseReadable({ path }: FoundFile): void {
  readGuarded(realDisk, path, maxEnvFileLength)?.fill(0)
}

/** The working directory's own .env is not read: it may be anybody's. */
function findEnvFile(given: string | undefined): FoundFile | undefined {
  const path = given === undefined ? usualEnvFile() : resolve(given)
  const file = path === undefined ? undefined : readEnvFile(realDisk, path)
  if (path !== undefined && file !== undefined) return { path, file }
  if (given === undefined) return undefined
  throw new KmsError('usage', `there is no env file at ${path}`)
}

function usualEnvFile(): string | undefined {
  try {
    return join(homedir(), '.tatumrc', '.env')
  } catch {
    return undefined
  }
}

export function homeFolder(): string {
  try {
    return homedir()
  } catch (cause) {
    // Neither HOME nor an entry among the system's users.
    throw new KmsError('usage', 'this user has no home folder for the vault to be in', {
      cause,
      hint: 'say where the vault is with --path',
    })
  }
}
