import { withLock } from '../../base/disk.ts'
import { attempt, unlessMissing } from '../../base/disk-fault.ts'
import { prettyJson } from '../../base/json.ts'
import type { FileFacts } from '../../base/open-file.ts'
import { promptSecret } from '../../password/prompt.ts'
import { fdSource, fileSource } from '../../password/source.ts'
import type { Secret } from '../../secret/secret.ts'
import { type Original, openOriginal, readOriginal } from '../../vault/original.ts'
import { isOriginalKept, keptOriginal, replaceOriginal } from '../../vault/replace-original.ts'
import type { VaultPlace } from '../../vault/vault.ts'
import type { Action } from '../action.ts'
import type { Context } from '../context.ts'
import { exitStatus } from '../exit.ts'
import { startProgress } from '../progress.ts'
import { type Tally, takeOver } from '../take-over.ts'

/** `migrate FILE`: the wallets of an original's file into the vault, which may be FILE itself. */
export const migrate: Action = async (context, [path = '']) => {
  const { place, terminal } = context
  const { bytes, facts } = readOriginal(place.disk, path)
  warnIfShared(context, path, facts)
  using old = openOld(context, bytes)
  const isInPlace = identityAt(place) === facts.identity
  const tally = isInPlace
    ? await migrateInPlace(context, old, bytes)
    : await migrateInto(context, place, old)
  terminal.answer(prettyJson(tally))
  return tally.notTaken > 0 ? exitStatus['partly-done'] : 0
}

function identityAt({ disk, path }: VaultPlace): string | undefined {
  return attempt(`cannot look at ${path}`, () => disk.look(path)?.identity)
}

/** The original writes 0644: that is no reason to refuse what is about to be made better. */
function warnIfShared({ place, terminal }: Context, path: string, { mode }: FileFacts): void {
  if (place.disk.user() === undefined || (mode & 0o077) === 0) return
  terminal.warn(`others than its owner may read ${path}, and its encryption is weak`)
}

function openOld(context: Context, bytes: Uint8Array): Original {
  using password = oldPassword(context)
  return openOriginal(bytes, password)
}

function oldPassword(context: Context): Secret {
  const fd = context.text('from-password-fd')
  if (fd !== undefined) return fdSource(context.descriptor(fd, '--from-password-fd')).read(false)
  const file = context.text('from-password-file')
  if (file !== undefined) return fileSource(file).read(false)
  return promptSecret('Password of the old wallet file')
}

async function migrateInto(
  { now, cost, terminal, password: ask }: Context,
  place: VaultPlace,
  old: Original,
): Promise<Tally> {
  using password = ask(place)
  using progress = startProgress(terminal, 'wallets', old.count)
  const listener = { warn: terminal.warn, show: progress.show }
  return await takeOver(old, { place, password, now: now(), cost }, listener)
}

/** Until the new vault is whole and checked it stands beside; what a failed run left there goes. */
async function migrateInPlace(
  context: Context,
  old: Original,
  original: Uint8Array,
): Promise<Tally> {
  const { disk, path, lockWaitMs } = context.place
  const fresh = `${path}.migrating`
  const removeFresh = (): void => {
    for (const name of [fresh, `${fresh}.lock`]) {
      attempt(`cannot remove ${name}`, () => unlessMissing(() => disk.unlink(name)))
    }
  }
  return await withLock(disk, path, lockWaitMs, async () => {
    // Refuses before anything is done what would be refused in the end.
    isOriginalKept(disk, path, original)
    removeFresh()
    try {
      const tally = await migrateInto(context, { ...context.place, path: fresh }, old)
      replaceOriginal(disk, { path, fresh, original })
      context.terminal.note(`the old wallet file is kept at ${keptOriginal(path)}`)
      return tally
    } finally {
      removeFresh()
    }
  })
}
