import { join } from 'node:path'
import { runTool } from '../../base/child.ts'
import { KmsError } from '../../base/errors.ts'
import { install, installFolder, readInstalled } from '../../base/installed-files.ts'
import type { Layout, PlannedFile } from './layout.ts'
import { isUnchanged } from './stamp.ts'

/** Where to, and whether for real. */
export type Place = {
  /** Below this folder, which is `/` but for images. */
  readonly root: string
  readonly isDryRun: boolean
  /** Files that somebody has changed are replaced, too. */
  readonly isForced: boolean
  /** Hears line by line what is done. */
  readonly tell: (line: string) => void
}

/** Before anything is done. */
export function refuseChanged({ owned }: Layout, { root, isForced }: Place): void {
  for (const { path } of isForced ? [] : owned) refuseChangedFile(join(root, path))
}

export function refuseChangedFile(path: string): void {
  const there = readInstalled(path)
  if (there === undefined || isUnchanged(there)) return
  throw new KmsError('usage', `${path} is not as it was installed`, {
    hint: 'keep changes in a drop-in (systemctl edit), or give --force',
  })
}

export function installFolders({ folders }: Layout, place: Place): void {
  for (const { path, mode } of folders) {
    const target = join(place.root, path)
    const isThere = readableFolder(target)
    if (!isThere && !place.isDryRun) installFolder(target, mode)
    if (!isThere) place.tell(`made ${target}`)
  }
}

/** Answers whether anything of it is another than before. */
export function installOwned({ owned }: Layout, place: Place): boolean {
  return owned.filter(file => installFile(file, place, 'replace')).length > 0
}

export function installSettings({ settings }: Layout, place: Place): void {
  for (const file of settings) installFile(file, place, 'keep')
}

function installFile(
  { path, text, mode }: PlannedFile,
  { root, isDryRun, tell }: Place,
  present: 'keep' | 'replace',
): boolean {
  const target = join(root, path)
  const there = readInstalled(target)
  if (there === text || (there !== undefined && present === 'keep')) {
    tell(`kept ${target}`)
    return false
  }
  if (!isDryRun) install(target, text, mode)
  tell(`${there === undefined ? 'wrote' : 'replaced'} ${target}`)
  return true
}

/** Never for an image: that is not the system that runs. */
export function runSystemTool(command: readonly string[], { root, isDryRun, tell }: Place): void {
  if (root !== '/') return
  tell(`ran ${command.join(' ')}`)
  if (isDryRun) return
  const { status } = runTool(command)
  if (status === 0) return
  throw new KmsError('unexpected', `${command.join(' ')} ended with status ${status}`)
}

function readableFolder(path: string): boolean {
  return installedKind(path) === 'folder'
}
