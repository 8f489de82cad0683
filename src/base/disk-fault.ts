import { KmsError } from './errors.ts'

/** Does `work`; a failure of the file system comes out as a `KmsError` that says `doing` and why. */
export function attempt<T>(doing: string, work: () => T): T {
  try {
    return work()
  } catch (thrown) {
    throw diskFault(doing, thrown)
  }
}

/** What `work` answers, or undefined when the file it is about does not exist. */
export function unlessMissing<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch (thrown) {
    if (isMissing(thrown)) return undefined
    throw thrown
  }
}

/** True when a call failed because there is no such file. */
function isMissing(thrown: unknown): boolean {
  const code = codeOf(thrown)
  return code === 'ENOENT' || code === 'ENOTDIR'
}

/** True when a file could not be made because there is one. */
export function isPresent(thrown: unknown): boolean {
  return codeOf(thrown) === 'EEXIST'
}

function diskFault(doing: string, thrown: unknown): KmsError {
  if (thrown instanceof KmsError) return thrown
  const code = codeOf(thrown)
  if (code === undefined) return new KmsError('unexpected', doing, { cause: thrown })
  const [kind, reason, hint] = reasons[code] ?? ['disk', code]
  return new KmsError(kind, `${doing}: ${reason}`, { cause: thrown, ...(hint && { hint }) })
}

type Reason = readonly ['disk' | 'unsafe-permissions', reason: string, hint?: string]

const reasons: Readonly<Record<string, Reason>> = {
  EACCES: ['unsafe-permissions', 'not permitted', 'run this as the owner of the file'],
  EPERM: ['unsafe-permissions', 'not permitted', 'run this as the owner of the file'],
  ELOOP: ['unsafe-permissions', 'it is a symbolic link', 'name the file itself'],
  ENOSPC: ['disk', 'no space left on the disk', 'free some space, then run this again'],
  EDQUOT: ['disk', 'the disk quota is used up', 'free some space, then run this again'],
  EROFS: ['disk', 'the file system is read-only'],
  ENOENT: ['disk', 'there is no such file or folder'],
  EIO: ['disk', 'the disk reports an error', 'copy the vault to another disk'],
}

function codeOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !('code' in thrown)) return undefined
  return typeof thrown.code === 'string' ? thrown.code : undefined
}
