import { confineReach } from '../../base/confinement.ts'
import { realDisk } from '../../base/disk.ts'
import { KmsError } from '../../base/errors.ts'
import { ensureFolder } from '../../base/guarded-file.ts'
import { asRecord, parseJson } from '../../base/json.ts'
import { execve, setCloseOnExec } from '../../base/native.ts'
import { decodeFrontReach, frontReach } from '../../daemon/confine.ts'
import { frontChannelFd } from '../../signer/launch.ts'
import type { Action } from '../action.ts'
import { encodeFrontStart } from '../front-start.ts'
import { frontVariables } from '../front-variables.ts'

/** `confine-front REACH`: gives up all files but the front's own, then becomes the front. */
export const confineFront: Action = async ({ self }, [text = '']) => {
  const record = asRecord(parseJson(text))
  const reach = decodeFrontReach(record?.get('reach'))
  if (reach === undefined) {
    throw new KmsError('usage', 'the front is started by the daemon, not by hand')
  }
  process.umask(0o077)
  // Afterwards it could not be made: its parent is the vault's folder.
  for (const folder of reach.folders) ensureFolder(realDisk, folder)
  const misses = confineReach(frontReach(reach))
  const requireHardening = record?.get('requireHardening') === true
  const start = encodeFrontStart({ misses, requireHardening, service: null })
  setCloseOnExec(frontChannelFd, false)
  return execve(self[0], [...self, 'front', start], frontVariables())
}
