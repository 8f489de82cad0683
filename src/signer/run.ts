import { closeSync } from 'node:fs'
import { withLock } from '../base/disk.ts'
import { KmsError } from '../base/errors.ts'
import { setDumpable, setNoCoreDumps, waitPid } from '../base/native.ts'
import type { Chain } from '../chains/chain.ts'
import { readSecretLine } from '../secret/input.ts'
import { openKeyRoom } from '../secret/key-room.ts'
import { lockingFailed } from '../secret/memory.ts'
import { openVault, type VaultPlace } from '../vault/vault.ts'
import { type Channel, openChannel } from './channel.ts'
import { openLedger } from './ledger.ts'
import { answerTo, createSigner, type Signer } from './serve.ts'
import type { SignerSettings } from './settings.ts'

export type SignerWorld = {
  readonly place: VaultPlace
  readonly findChain: (id: string) => Chain | undefined
  readonly now: () => number
  /** Opens the ledger; tests wrap it to end the process between two steps. */
  readonly openLedger?: typeof openLedger
  /** Calls back when the operating system asks this process to end. */
  readonly onStopSignal: (stop: () => void) => void
}

/** The keyed process, from its password to its end. Answers the front's exit status. */
export async function runSigner(settings: SignerSettings, world: SignerWorld): Promise<number> {
  setNoCoreDumps()
  setDumpable(false)
  process.umask(0o077)
  const { place } = world
  const ledgerPath = `${place.path}.ledger`
  // One signer per vault: a second one would not see what the first has just signed.
  return withLock(place.disk, ledgerPath, 0, async () => {
    using vault = openWithPassword(settings, place)
    refuseUnlockedMemory()
    using ledger = (world.openLedger ?? openLedger)(ledgerPath, vault.auditKey)
    const { network, acceptRollback } = settings
    if (acceptRollback) ledger.acceptGeneration(vault.generation)
    else ledger.checkGeneration(vault.generation)
    await using room = openKeyRoom()
    const answer = createSigner({ ...world, vault, ledger, room, network })
    await serve(settings.channelFd, answer, world)
    return frontStatus(settings.frontPid)
  })
}

function openWithPassword({ passwordFd }: SignerSettings, place: VaultPlace) {
  using password = readSecretLine(passwordFd)
  closeSync(passwordFd)
  if (password === undefined) throw new KmsError('usage', 'there is no password')
  return openVault(place, password)
}

/** A daemon holds its keys for years: they must not reach a swap device. */
function refuseUnlockedMemory(): void {
  const reason = lockingFailed()
  if (reason === undefined) return
  throw new KmsError('memory', `memory for the keys cannot be locked: ${reason}`, {
    hint: 'raise the limit of locked memory (LimitMEMLOCK=, ulimit -l)',
  })
}

/** Answers until the front ends; resolves then. */
function serve(fd: number, answer: Signer, { onStopSignal }: SignerWorld): Promise<void> {
  const { promise: ended, resolve: onEnd } = Promise.withResolvers<void>()
  const channel: Channel = openChannel(fd, {
    onFrame: (n, body) => {
      // `answerTo` answers every fault: there is nothing left to reject.
      void answerTo(body, answer).then(said => channel.send(n, said))
    },
    onEnd,
  })
  onStopSignal(() => channel.send(0, { type: 'stop' }))
  channel.send(0, { type: 'ready' })
  return ended
}

function frontStatus(pid: number): number {
  const ending = waitPid(pid)
  if ('code' in ending) return ending.code
  throw new KmsError('unexpected', `the network process was ended by signal ${ending.signal}`)
}
