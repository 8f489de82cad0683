import { dirname, join } from 'node:path'
import { runTool } from '../../base/child.ts'
import { KmsError } from '../../base/errors.ts'
import {
  install,
  installFolder,
  readInstalled,
  uninstall,
  uninstallEmpty,
} from '../../base/installed-files.ts'
import type { PlannedFile, PlannedFolder } from './layout.ts'
import { isUnchanged } from './stamp.ts'

/** Where to, and whether for real. */
export type Place = {
  /** All paths are below it: `/`, or the folder of an image. */
  readonly root: string
  readonly isDryRun: boolean
  /** What somebody has changed is not spared. */
  readonly isForced: boolean
  /** Hears line by line what is done, or would be. */
  readonly tell: (did: string, would: string, what: string) => void
}

/** To be called before anything is done. */
export function refuseChanged(paths: readonly string[], { root, isForced }: Place): void {
  for (const path of isForced ? [] : paths.map(each => join(root, each))) {
    const there = readInstalled(path)
    if (there === undefined || isUnchanged(there)) continue
    throw new KmsError('usage', `${path} is not as it was installed`, {
      hint: 'keep changes in a drop-in (systemctl edit), or give --force',
    })
  }
}

export function makeFolders(folders: readonly PlannedFolder[], place: Place): void {
  const { root, isDryRun, tell } = place
  for (const { path, mode } of folders) {
    const target = join(root, path)
    if (isDryRun || installFolder(target, mode)) tell('made', 'make', target)
  }
}

/** @param present what becomes of one that is there with other contents */
export function writeFiles(
  files: readonly PlannedFile[],
  present: 'keep' | 'replace',
  { root, isDryRun, tell }: Place,
): void {
  for (const { path, text, mode } of files) {
    const target = join(root, path)
    const there = readInstalled(target)
    if (there === text || (there !== undefined && present === 'keep')) {
      tell('kept', 'keep', target)
      continue
    }
    if (!isDryRun) {
      installFolder(dirname(target), 0o755)
      install(target, text, mode)
    }
    if (there === undefined) tell('wrote', 'write', target)
    else tell('replaced', 'replace', target)
  }
}

export function removeFile(path: string, { root, isDryRun, tell }: Place): void {
  const target = join(root, path)
  if (isDryRun ? readInstalled(target) !== undefined : uninstall(target)) {
    tell('removed', 'remove', target)
  }
}

/** What was only a place to mount something at. */
export function removeEmptyFolder(path: string, { root, isDryRun, tell }: Place): void {
  const target = join(root, path)
  if (isDryRun || uninstallEmpty(target)) tell('removed', 'remove', target)
  else tell('kept', 'keep', target)
}

/** Nothing runs in an image. */
export function runSystemTool(command: readonly string[], { root, isDryRun, tell }: Place): void {
  if (root !== '/') return
  tell('ran', 'run', command.join(' '))
  if (isDryRun) return
  const { status } = runTool(command)
  if (status === 0) return
  throw new KmsError('unexpected', `${command.join(' ')} ended with status ${status}`)
}
