import { closeSync } from 'node:fs'
import { startChild } from '../base/child.ts'
import type { Json } from '../base/json.ts'
import { encodeJson } from '../base/json.ts'
import { execve, pipe, setCloseOnExec, socketPair, writeOut } from '../base/native.ts'
import { engineVariables } from '../base/program.ts'
import type { Secret } from '../secret/secret.ts'
import { sayWhy } from './farewell.ts'
import type { Notice } from './messages.ts'
import type { SignerSettings } from './settings.ts'
import { encodeFrame } from './wire.ts'

/** What it takes to become the signer. */
export type SignerPlan = {
  /** How to start this program again: the binary, or Bun and the source file. */
  readonly self: readonly [string, ...string[]]
  readonly signer: Omit<SignerSettings, 'channelFd' | 'passwordFd' | 'frontPid' | 'misses'>
  /** Gives up what the signer needs none of, for good; answers what could not be given up. */
  readonly confine: () => readonly string[]
  readonly readPassword: () => Secret
}

export type Launch = SignerPlan & {
  /** What the front starts as. */
  readonly frontCommand: readonly [string, ...string[]]
  /** All the front learns. It travels over the pipe: neither argv nor environment shows it. */
  readonly front: Json
  /** Variables the front may have; nothing else of the environment reaches it. */
  readonly frontEnvironment: Readonly<Record<string, string>>
}

/** The front finds its end of the pipe here. */
export const frontChannelFd = 3

/**
 * Starts the front as a child and becomes the signer (DESIGN 2). The order matters: the front is
 * started before the password is read (but for TATUM_KMS_PASSWORD, of which it gets nothing: it
 * begins in an image and an environment of its own), and the signer begins in a fresh image with an
 * environment of its own, so that nothing of this one's heap is left in it.
 */
export function launch(plan: Launch): never {
  const { self, front, frontCommand, frontEnvironment } = plan
  const [ours, theirs] = socketPair()
  const frontPid = startChild([...self, ...frontCommand], frontEnvironment, theirs)
  closeSync(theirs)
  return orHangUp(ours, () => {
    writeOut(ours, encodeFrame(0, { type: 'config', config: front } satisfies Notice))
    return becomeSigner(plan, ours, frontPid)
  })
}

/** Becomes the signer of a front that is a service of its own, and has connected. */
export function serveFront(plan: SignerPlan, channelFd: number): never {
  return orHangUp(channelFd, () => becomeSigner(plan, channelFd, null))
}

/** The front hears why, sees the end of the pipe, and ends too. */
function orHangUp(channelFd: number, work: () => never): never {
  try {
    return work()
  } catch (fault) {
    sayWhy(channelFd, fault)
    closeSync(channelFd)
    throw fault
  }
}

function becomeSigner(
  { self, signer, readPassword, confine }: SignerPlan,
  channelFd: number,
  frontPid: number | null,
): never {
  using password = readPassword()
  const passwordFd = pourIntoPipe(password)
  setCloseOnExec(channelFd, false)
  if (signer.notifyFd !== null) setCloseOnExec(signer.notifyFd, false)
  const settings: SignerSettings = { ...signer, misses: confine(), channelFd, passwordFd, frontPid }
  password.wipe()
  return execve(self[0], [...self, 'signer', encodeJson(settings)], engineVariables)
}

/** A pipe's buffer is kernel memory that is never swapped; a password is far shorter than it holds. */
function pourIntoPipe(password: Secret): number {
  const [reader, writer] = pipe()
  password.use(bytes => writeOut(writer, bytes))
  closeSync(writer)
  setCloseOnExec(reader, false)
  return reader
}
