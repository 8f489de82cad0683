import { closeSync } from 'node:fs'
import { KmsError } from '../base/errors.ts'
import { pollPid, setDumpable, setNoCoreDumps, waitPid } from '../base/native.ts'
import { createNotifier, type Notifier } from '../base/notify.ts'
import { readSecretLine } from '../secret/input.ts'
import { openVault, type Vault, type VaultPlace } from '../vault/vault.ts'
import { type Channel, openChannel } from './channel.ts'
import { sayWhy } from './farewell.ts'
import { withHeartbeat } from './heartbeat.ts'
import type { Notice } from './messages.ts'
import type { SignerPolicy } from './policy.ts'
import { createQuestions } from './questions.ts'
import { answerTo, type Signer } from './serve.ts'
import type { SignerSettings } from './settings.ts'
import { asOnlySigner, type OpeningWorld, withSigner } from './with-signer.ts'

export type SignerWorld = OpeningWorld & {
  /** Milliseconds since some time, whatever the clock is set to. */
  readonly monotonic: () => number
  /** Calls back when the operating system asks this process to end. */
  readonly onStopSignal: (stop: () => void) => void
  /** Calls back when it asks this process to read its policy again. */
  readonly onReloadSignal: (reload: () => void) => void
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

async function answerFront(
  settings: SignerSettings,
  world: SignerWorld,
  onServing: () => void,
): Promise<void> {
  const { monotonic, place } = world
  const { watchdogMs } = settings
  const notifier = createNotifier(settings.notifyFd)
  notifier.status('opening the vault')
  const open = () => openWithPassword(settings, place)
  await withSigner(settings, world, open, async ({ signer, policy }) => {
    const answer = withHeartbeat(signer, { notifier, monotonic, watchdogMs })
    onServing()
    await serve(settings.channelFd, answer, world, { notifier, policy })
  })
}

function openWithPassword({ passwordFd }: SignerSettings, place: VaultPlace): Vault {
  using password = readSecretLine(passwordFd)
  closeSync(passwordFd)
  if (password === undefined) throw new KmsError('usage', 'there is no password')
  return openVault(place, password)
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
  const { promise: ended, resolve: onEnd } = Promise.withResolvers<void>()
  const channel: Channel = openChannel(fd, {
    onFrame: (n, body, length) => questions.take(n, body, length),
    onDrain: () => questions.goOn(),
    onEnd,
  })
  const questions = createQuestions(channel, body => answerTo(body, answer))
  void ended.then(notifier.stopping)
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
