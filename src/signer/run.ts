import { closeSync } from 'node:fs'
import { withLock } from '../base/disk.ts'
import { asKmsError, KmsError } from '../base/errors.ts'
import { pollPid, setDumpable, setNoCoreDumps, waitPid } from '../base/native.ts'
import { createNotifier, type Notifier } from '../base/notify.ts'
import type { Chain } from '../chains/chain.ts'
import type { Policy } from '../guard/policy.ts'
import { readSecretLine } from '../secret/input.ts'
import { openKeyRoom } from '../secret/key-room.ts'
import { lockingFailed } from '../secret/memory.ts'
import { openVault, type Vault, type VaultPlace } from '../vault/vault.ts'
import { createApprovals } from './approvals.ts'
import { type Channel, openChannel } from './channel.ts'
import { sayWhy } from './farewell.ts'
import { withHeartbeat } from './heartbeat.ts'
import { refuseUnlockedMemory } from './job.ts'
import { type Ledger, openLedger } from './ledger.ts'
import type { Notice } from './messages.ts'
import { openPolicy, type SignerPolicy } from './policy.ts'
import { loadPolicy } from './policy-source.ts'
import { answerTo, createSigner, type Signer } from './serve.ts'
import type { SignerSettings } from './settings.ts'
import { sharedWithMainnet } from './shared-keys.ts'

export type SignerWorld = {
  readonly place: VaultPlace
  readonly findChain: (id: string) => Chain | undefined
  readonly now: () => number
  /** Milliseconds since some time, whatever the clock is set to. */
  readonly monotonic: () => number
  readonly warn: (text: string) => void
  /** Opens the ledger; tests wrap it to end the process between two steps. */
  readonly openLedger?: typeof openLedger
  /** Gives up for good what is not needed once the vault is open. */
  readonly confine: () => void
  /** Calls back when the operating system asks this process to end. */
  readonly onStopSignal: (stop: () => void) => void
  /** Calls back when it asks this process to read its policy again. */
  readonly onReloadSignal: (reload: () => void) => void
  /** Tells the owner what is no warning. */
  readonly note: (text: string) => void
}

/** The keyed process, from its password to its end. Answers the front's exit status. */
export async function runSigner(settings: SignerSettings, world: SignerWorld): Promise<number> {
  setNoCoreDumps()
  setDumpable(false)
  process.umask(0o077)
  // When this is over no key is open and nothing locked: the front may take its time.
  let isServing = false
  const onServing = (): void => {
    isServing = true
  }
  try {
    await asOnlySigner(settings, world.place, () => answerFront(settings, world, onServing))
  } catch (fault) {
    // Later on its own questions tell it.
    if (!isServing) sayWhy(settings.channelFd, fault)
    throw fault
  }
  // A front that is no child of ours has its own status, and somebody else to tell.
  return settings.frontPid === null ? 0 : frontStatus(settings.frontPid)
}

/** A predecessor that was told to stop ends its payments first, within 20 s. */
const maxLockWaitMs = 30_000

/** One signer per vault: a second one would not see what the first has just signed. */
async function asOnlySigner(
  { lockWaitMs }: SignerSettings,
  { disk, path }: VaultPlace,
  work: () => Promise<void>,
): Promise<void> {
  let isLocked = false
  try {
    await withLock(disk, ledgerPath(path), Math.min(lockWaitMs, maxLockWaitMs), () => {
      isLocked = true
      return work()
    })
  } catch (fault) {
    const { code, message } = asKmsError(fault)
    if (isLocked || code !== 'vault-busy') throw fault
    throw new KmsError(code, message, {
      cause: fault,
      hint: 'another daemon signs with this vault: stop it first',
    })
  }
}

/** Beside the vault. */
function ledgerPath(vaultPath: string): string {
  return `${vaultPath}.ledger`
}

async function answerFront(
  settings: SignerSettings,
  world: SignerWorld,
  onServing: () => void,
): Promise<void> {
  const { place, monotonic } = world
  const notifier = createNotifier(settings.notifyFd)
  notifier.status('opening the vault')
  const { network, chainSettings, acceptNonces, othersSign, allowReplacement, cancel, resign } = settings
  // Before anything is opened: a policy that is wrong is nothing to go on with.
  const read = () => readPolicy(settings, place)
  const written = read()
  const approvals = createApprovals(settings.approvers, world.now)
  using vault = openWithPassword(settings, place)
  refuseUnlockedMemory(lockingFailed())
  using ledger = (world.openLedger ?? openLedger)(ledgerPath(place.path), vault.auditKey)
  world.confine()
  checkHistory(settings, world, vault, ledger)
  if (network === 'testnet') warnOfSharedKeys(vault, world)
  await using room = openKeyRoom()
  const policy = openPolicy({ ...world, ledger, network, chainSettings, resign, read }, written)
  const rules = { network, policy, acceptNonces, othersSign, allowReplacement, cancel, resign, approvals }
  const facts = { ...world, vault, ledger, room, ...rules, lockingFailed }
  const current = {
    ...facts,
    get chainSettings() {
      return policy.chainSettings
    },
  }
  const { watchdogMs } = settings
  const heartbeat = { notifier, monotonic, watchdogMs }
  const answer = withHeartbeat(createSigner(current), heartbeat)
  onServing()
  await serve(settings.channelFd, answer, world, { notifier, policy })
}

function readPolicy(
  { policyPath: path, policyShare: share }: SignerSettings,
  { disk }: VaultPlace,
): Policy | undefined {
  return path === null ? undefined : loadPolicy(disk, { path, share })
}

function openWithPassword({ passwordFd }: SignerSettings, place: VaultPlace): Vault {
  using password = readSecretLine(passwordFd)
  closeSync(passwordFd)
  if (password === undefined) throw new KmsError('usage', 'there is no password')
  return openVault(place, password)
}

function warnOfSharedKeys(vault: Vault, { warn }: SignerWorld): void {
  const shared = sharedWithMainnet(vault.list())
  if (shared.length === 0) return
  warn(
    `wallet ${shared[0]} has a key of a main network, too (wallets: ${shared.length}): what it signs ` +
      'here may be valid there',
  )
}

/** What the ledger does not know may be signed a second time: the owner must hear of it. */
function checkHistory(
  { acceptRollback }: SignerSettings,
  { place, warn }: SignerWorld,
  { generation }: Vault,
  ledger: Ledger,
): void {
  const seen = ledger.seenGeneration()
  const isOldVault = generation > 1n || place.disk.look(`${place.path}.bak`) !== undefined
  if (seen === undefined && isOldVault) {
    warn(
      'no ledger was found beside the vault: this daemon does not know what was signed before, ' +
        'and could sign it again',
    )
  }
  if (!acceptRollback) {
    ledger.checkGeneration(generation)
    return
  }
  if (seen !== undefined && generation < seen) {
    warn(`an older vault is accepted: generation ${generation}, although ${seen} was seen before`)
  }
  ledger.acceptGeneration(generation)
}

/** Longer than the front gives itself to finish what is under way. */
const drainLimitMs = 30_000

/** Answers until the front ends; resolves then. */
function serve(
  fd: number,
  answer: Signer,
  { onStopSignal, onReloadSignal }: SignerWorld,
  { notifier, policy }: { readonly notifier: Notifier; readonly policy: SignerPolicy },
): Promise<void> {
  const { promise: ended, resolve: onEnd, reject } = Promise.withResolvers<void>()
  const channel: Channel = openChannel(fd, {
    onFrame: (n, body) => {
      answerTo(body, answer)
        .then(said => channel.send(n, said))
        // An answer that fits no frame: the front would wait for it for ever.
        .catch(fault => {
          reject(fault)
          channel.close()
        })
    },
    onEnd,
  })
  void ended.then(notifier.stopping, notifier.stopping)
  onStopSignal(() => {
    notifier.stopping()
    channel.send(0, { type: 'stop' } satisfies Notice)
    // A front that does not drain must not keep the keys here: whoever asked wants this process gone.
    setTimeout(onEnd, drainLimitMs).unref()
  })
  const tellSettings = (): void => {
    const { chainSettings } = policy
    channel.send(0, { type: 'settings', chainSettings } satisfies Notice)
  }
  onReloadSignal(() => {
    notifier.reloading()
    policy.reload()
    tellSettings()
    notifier.ready()
  })
  tellSettings()
  channel.send(0, { type: 'ready' } satisfies Notice)
  return ended
}

/** How long a front may take from the end of its pipe to its own. */
const endWithinMs = 5_000
const pollMs = 20

/** A front that ended its pipe and lives on would keep this process from ever ending. */
async function frontStatus(pid: number): Promise<number> {
  for (let waited = 0; waited <= endWithinMs; waited += pollMs) {
    const ending = pollPid(pid)
    if (ending === undefined) {
      await Bun.sleep(pollMs)
      continue
    }
    if ('code' in ending) return ending.code
    throw new KmsError('unexpected', `the network process was ended by signal ${ending.signal}`)
  }
  // A child nobody has waited for: the number is still its own.
  process.kill(pid, 'SIGKILL')
  waitPid(pid)
  throw new KmsError('unexpected', 'the network process did not end by itself and was killed')
}
