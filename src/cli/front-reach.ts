import { realpathSync } from 'node:fs'
import { dirname, sep } from 'node:path'
import { KmsError } from '../base/errors.ts'
import type { FrontConfig } from '../daemon/config.ts'
import { type FrontReach, portOf } from '../daemon/confine.ts'

/** What the front needs of this machine to do what it is told. */
export function frontReachOf(config: FrontConfig): FrontReach {
  const { apiUrl, nodes, approver, proxy, journalFolder, sharedJournal, operations } = config
  const { metrics, metricsFile, stateFolder } = operations
  const urls = [apiUrl, nodes.vet, nodes.flow, approver?.url, proxy]
  const socket = metrics !== null && 'path' in metrics ? [metrics.path] : []
  return {
    folders: [...new Set([journalFolder, stateFolder])],
    outlets: [...socket, ...(metricsFile === null ? [] : [metricsFile])].map(path => dirname(path)),
    connectPorts: [
      ...urls.flatMap(text => {
        const url = URL.parse(text ?? '')
        return url === null ? [] : [portOf(url)]
      }),
      ...(sharedJournal === null ? [] : [sharedJournal.port]),
    ],
    listenPorts: metrics !== null && 'port' in metrics ? [metrics.port] : [],
  }
}

/** The front may read and write all that is in its folders: nothing of the signer may be there. */
export function refuseSharedFolders(
  { folders, outlets }: FrontReach,
  kept: Readonly<Record<string, string | undefined>>,
): void {
  for (const folder of [...folders, ...outlets].map(realPath)) {
    for (const [name, path] of Object.entries(kept)) {
      if (path === undefined || !isWithin(realPath(path), folder)) continue
      throw new KmsError('usage', `${name} is in ${folder}, where the network process may write`, {
        hint: 'give --journal and the metrics folders of their own',
      })
    }
  }
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep)
}

/** A folder that is not there yet holds nothing; its own name tells where it will be. */
function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
