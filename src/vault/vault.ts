import { dirname } from 'node:path'
import { equalBytes, hex } from '../base/bytes.ts'
import { type Disk, withLock } from '../base/disk.ts'
import { attempt } from '../base/disk-fault.ts'
import { KmsError } from '../base/errors.ts'
import { ensureFolder, guardedExists, readGuarded } from '../base/guarded-file.ts'
import type { WalletId } from '../base/model.ts'
import { replaceFile } from '../base/replace-file.ts'
import { defaultCost, type ScryptCost } from '../secret/kdf.ts'
import type { Secret } from '../secret/secret.ts'
import type { BodyIndex } from './body-index.ts'
import { type Changed, type Draft, noSuchWallet, startDraft } from './draft.ts'
import {
  createVaultState,
  type Opened,
  openBody,
  openEnvelope,
  sealEnvelope,
  type VaultKeys,
  type VaultState,
} from './envelope.ts'
import { damaged, decodeHeader, type Header, maxFileLength } from './header.ts'
import { emptyBody, indexBody, recordAt, type WalletInfo, type WalletRecord } from './records.ts'
import { openNode, openSecret, proveRecords } from './sealed-record.ts'
import type { WalletSecret } from './wallet-secret.ts'

/** Where a vault lives and how long to wait for its lock. */
export type VaultPlace = {
  readonly disk: Disk
  readonly path: string
  readonly lockWaitMs: number
}

/** An open vault: public facts in the clear, secrets sealed until `reveal` opens one. */
export type Vault = Disposable & {
  /** 32 hex digits, the same for the vault's whole life. */
  readonly vaultId: string
  /** Counts the writes; an older one than was seen before is a rollback. */
  readonly generation: bigint
  /** Keys the signer's ledger is chained with. */
  readonly auditKey: Secret
  ids(): Iterable<WalletId>
  find(id: WalletId): WalletInfo | undefined
  /** Oldest first. */
  list(): Iterable<WalletInfo>
  /** The wallet's secret in locked memory; the caller disposes of it. */
  reveal(id: WalletId): WalletSecret
  /** A mnemonic wallet's account node: key, then chain code. The caller disposes of it. */
  revealNode(id: WalletId): Secret
  /** True when the file was replaced since; the new contents are then in place, without a password. */
  reload(): boolean
}

/** Opens the vault for reading. */
export function openVault(place: VaultPlace, password: Secret): Vault {
  // Looked at before it is read: a change in between is then seen by the next reload.
  const identity = identityOf(place)
  const { state, keys, body } = discardAfter(readVaultFile(place), file =>
    openEnvelope(file, password),
  )
  try {
    return hold(place, keys, { identity, state, body, index: indexBody(body) })
  } catch (fault) {
    keys[Symbol.dispose]()
    throw fault
  }
}

/** True when there is a vault file; wrong permissions are refused here already. */
export function vaultExists(place: VaultPlace): boolean {
  checkFolder(place)
  return guardedExists(place.disk, place.path)
}

/** Refuses when there is no vault: to be asked before its password is. */
export function requireVault(place: VaultPlace): void {
  if (!vaultExists(place)) throw missing(place.path)
}

/**
 * Refuses a folder in which others may put another file in the vault's place. Answers warnings
 * about one they may look into; a folder that is not there yet is fine.
 */
export function checkFolder({ disk, path }: VaultPlace): readonly string[] {
  const folder = dirname(path)
  const facts = attempt(`cannot look into ${folder}`, () => disk.lookThrough(folder))
  return facts === undefined ? [] : ensureFolder(disk, folder)
}

type ChangeSettings = {
  /** Makes a new vault when there is none. */
  readonly create: boolean
  readonly now: number
  readonly cost?: ScryptCost
}

/**
 * Changes the vault under its lock and writes it once, durably. The lock is taken before scrypt, so
 * that many writers cost the memory of one. Every added secret is opened again from the bytes that are
 * about to be written, and the file is read back and compared; only then does this return.
 */
export async function changeVault<T>(
  place: VaultPlace,
  password: Secret,
  change: (draft: Draft) => T | Promise<T>,
  settings: ChangeSettings,
): Promise<T> {
  using writer = startWriting(place, password, settings)
  return await writer.change(change)
}

/** As `changeVault`, any number of times; scrypt is paid for once, and the lock free in between. */
export function startWriting(
  place: VaultPlace,
  password: Secret,
  { create, now, cost = defaultCost }: ChangeSettings,
): VaultWriter {
  const kept = new DisposableStack()
  let known: KnownKeys | undefined
  const keep = (contents: NewContents): NewContents => {
    known = { keys: kept.use(contents.keys), vaultId: contents.state.vaultId }
    return contents
  }
  const open = (): NewContents => {
    const file = readFile(place)
    if (file === undefined) return keep(makeContents())
    return discardAfter(
      file,
      () => (known && openKnown(file, known)) ?? keep(openEnvelope(file, password)),
    )
  }
  const makeContents = (): NewContents => {
    if (!create) throw missing(place.path)
    refuseLostVault(place)
    return { ...createVaultState(password, { cost, label: 'first', now }), body: emptyBody }
  }
  return {
    async change(work) {
      if (create) ensureFolder(place.disk, dirname(place.path))
      // Before the lock: its file belongs beside a vault only.
      else requireVault(place)
      return withLock(place.disk, place.path, place.lockWaitMs, async () => {
        const { state, keys, body } = open()
        const { draft, contents } = startDraft({ keys, vaultId: state.vaultId }, body, now)
        const answer = await work(draft)
        const isNew = state.generation === 0n
        const changed =
          contents() ?? (isNew ? { body: body.slice(), added: [], removed: false } : undefined)
        if (changed !== undefined) writeVault(place, state, keys, password, changed)
        return answer
      })
    },
    [Symbol.dispose]: () => kept.dispose(),
  }
}

/** Wipes the vault's keys at its end. */
export type VaultWriter = Disposable & {
  change<T>(work: (draft: Draft) => T | Promise<T>): Promise<T>
}

/** What a vault leaves beside it says that one is lost here: a new one would bury its backup. */
function refuseLostVault({ disk, path }: VaultPlace): void {
  const left = attempt(`cannot look beside ${path}`, () =>
    ['.bak', '.ledger'].find(suffix => disk.look(`${path}${suffix}`) !== undefined),
  )
  if (left === undefined) return
  throw new KmsError('vault-missing', `there is no vault at ${path}, but ${path}${left} is there`, {
    hint: 'put the vault back (restore FILE), or move what is left of it away first',
  })
}

/** What was added must open from these very bytes before they take an older file's place. */
function writeVault(
  place: VaultPlace,
  state: VaultState,
  keys: VaultKeys,
  password: Secret,
  changed: Changed,
): void {
  const next = { ...state, generation: state.generation + 1n }
  const file = discardAfter(changed.body, body => sealEnvelope(next, keys, body))
  // A slot nobody has opened yet must open before anything is sealed under it for good.
  if (state.generation === 0n) openEnvelope(file, password).keys[Symbol.dispose]()
  proveAdded(file, keys, changed.added)
  // A copy that still holds a removed wallet must not stay behind.
  replaceFile(place.disk, place.path, file, { keepPrevious: !changed.removed })
  if (Buffer.compare(readVaultFile(place), file) !== 0) throw damaged('it reads back differently')
}

function proveAdded(file: Uint8Array, keys: VaultKeys, added: readonly WalletId[]): void {
  const opened = openBody(file, keys)
  discardAfter(opened.body, body => {
    const index = indexBody(body)
    const starts = added.map(id => {
      const start = index.get(id)
      if (start === undefined) throw damaged(`wallet ${id} is not in the file about to be written`)
      return start
    })
    proveRecords({ keys, vaultId: opened.state.vaultId }, body, starts)
  })
}

type NewContents = Pick<Opened, 'keys' | 'body'> & { readonly state: VaultState }

type KnownKeys = Pick<Opened, 'keys'> & Pick<VaultState, 'vaultId'>

/** With the keys of a moment ago; nothing where the vault has others since. */
function openKnown(file: Uint8Array, { keys, vaultId }: KnownKeys): NewContents | undefined {
  try {
    return { ...reopen(file, keys, vaultId), keys }
  } catch {
    return undefined
  }
}

/**
 * Frees `bytes`, and empties every view of them, when `work` is done: the collector lets about as
 * much garbage gather as is in use, and that is the whole vault several times over.
 */
function discardAfter<T>(bytes: Uint8Array, work: (bytes: Uint8Array) => T): T {
  try {
    return work(bytes)
  } finally {
    if (bytes.buffer instanceof ArrayBuffer) bytes.buffer.transfer(0)
  }
}

type Contents = {
  /** Of the file they were read from. */
  readonly identity: string | undefined
  readonly state: Header
  readonly body: Uint8Array
  readonly index: BodyIndex
}

function hold(place: VaultPlace, keys: VaultKeys, first: Contents): Vault {
  let contents = first
  const record = (id: WalletId): WalletRecord => {
    const start = contents.index.get(id)
    if (start === undefined) throw noSuchWallet(id)
    return recordAt(contents.body, start)
  }
  return {
    vaultId: hex(first.state.vaultId),
    get generation() {
      return contents.state.generation
    },
    auditKey: keys.audit,
    ids: () => contents.index.keys(),
    find: id => (contents.index.has(id) ? record(id).info : undefined),
    *list() {
      for (const start of contents.index.values()) yield recordAt(contents.body, start).info
    },
    reveal: id => openSecret({ keys, vaultId: first.state.vaultId }, record(id)),
    revealNode: id => openNode({ keys, vaultId: first.state.vaultId }, record(id)),
    reload() {
      const identity = identityOf(place)
      if (identity !== undefined && identity === contents.identity) return false
      const { state, body } = discardAfter(readVaultFile(place), file =>
        reopen(file, keys, first.state.vaultId),
      )
      if (state.generation < contents.state.generation) throw rolledBack()
      const isSame = equalBytes(state.bodyNonce, contents.state.bodyNonce)
      // Two files of one generation: an older copy was put back and written to.
      if (state.generation === contents.state.generation && !isSame) throw rolledBack()
      contents = { identity, state, body, index: indexBody(body) }
      return !isSame
    },
    [Symbol.dispose]: () => keys[Symbol.dispose](),
  }
}

/** Opens a newer file with the keys that are held. */
function reopen(file: Uint8Array, keys: VaultKeys, vaultId: Uint8Array) {
  const { header } = decodeHeader(file)
  if (!equalBytes(header.vaultId, vaultId)) throw damaged('another vault stands in its place')
  try {
    return openBody(file, keys)
  } catch (cause) {
    throw new KmsError('wrong-password', 'the vault has another master key since', {
      cause,
      hint: 'start again with the password it has now',
    })
  }
}

function identityOf({ disk, path }: VaultPlace): string | undefined {
  return attempt(`cannot look at ${path}`, () => disk.look(path)?.identity)
}

/** The bytes of the vault file, as they are. */
export function readVaultFile(place: VaultPlace): Uint8Array {
  const file = readFile(place)
  if (file === undefined) throw missing(place.path)
  return file
}

function readFile(place: VaultPlace): Uint8Array | undefined {
  checkFolder(place)
  return readGuarded(place.disk, place.path, maxFileLength)
}

function rolledBack(): KmsError {
  return new KmsError('vault-rolled-back', 'an older vault stands in the place of the open one', {
    hint: 'put the newest copy back',
  })
}

function missing(path: string): KmsError {
  return new KmsError('vault-missing', `there is no vault at ${path}`, {
    hint: 'generatemanagedwallet or storemanagedwallet makes one',
  })
}
