import { confineReach } from '../../base/confinement.ts'
import { realDisk } from '../../base/disk.ts'
import { KmsError } from '../../base/errors.ts'
import { ensureFolder } from '../../base/guarded-file.ts'
import { encodeJson } from '../../base/json.ts'
import { writeMemoryFile } from '../../base/memory-file.ts'
import { execve, setCloseOnExec } from '../../base/native.ts'
import { connectStream } from '../../base/native-unix.ts'
import { defaultSettings } from '../../chains/settings.ts'
import { frontReach } from '../../daemon/confine.ts'
import type { Action } from '../action.ts'
import { frontConfigOf, pollingTask } from '../front-config.ts'
import { frontReachOf, refuseSharedFolders } from '../front-reach.ts'
import { encodeFrontStart } from '../front-start.ts'
import { frontVariables } from '../front-variables.ts'
import { notifySettings } from '../operations.ts'

/** For the journal; the front itself takes no longer than its drain. */
const lockWaitMs = 120_000

/**
 * `front-service`: the network process as a service of its own. Connects to the signer's socket,
 * gives up all files but the front's own, then becomes the front.
 */
export const frontService: Action = async context => {
  const { self, text, isSet, envFile } = context
  // The signer says what holds before the first payment.
  const config = frontConfigOf(context, defaultSettings, { ...pollingTask(context), lockWaitMs })
  const reach = frontReachOf(config)
  refuseSharedFolders(reach, { 'the env file': envFile() })
  process.umask(0o077)
  for (const folder of reach.folders) ensureFolder(realDisk, folder)
  const { notifyFd } = notifySettings()
  const channelFd = connectSigner(text('signer'))
  const configFd = writeMemoryFile(Buffer.from(encodeJson(config)))
  const passedOn = [channelFd, configFd, ...(notifyFd === null ? [] : [notifyFd])]
  const misses = confineReach(frontReach(reach))
  for (const fd of passedOn) setCloseOnExec(fd, false)
  const start = {
    misses,
    requireHardening: isSet('require-hardening'),
    service: { channelFd, configFd, notifyFd },
  }
  return execve(self[0], [...self, 'front', encodeFrontStart(start)], frontVariables())
}

function connectSigner(path: string | undefined): number {
  if (path === undefined)
    throw new KmsError('usage', "say with --signer where the signer's socket is")
  const fd = connectStream(path)
  if (fd !== undefined) return fd
  throw new KmsError('unexpected', "nobody listens at the signer's socket", {
    hint: 'systemctl status tatum-kms-signer.socket',
  })
}
