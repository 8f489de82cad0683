import { join } from 'node:path'
import { runTool } from '../../base/child.ts'
import { readInstalled } from '../../base/installed-files.ts'
import type { Action } from '../action.ts'
import {
  type Place,
  refuseChanged,
  removeEmptyFolder,
  removeFile,
  runSystemTool,
} from '../services/installation.ts'
import {
  credentials,
  type LayoutName,
  layoutOf,
  rootFolder,
  settingsFolder,
  stateFolder,
} from '../services/layout.ts'
import { refuseOthersThanRoot } from '../services/machine.ts'
import { placeOf } from '../services/place.ts'

/** `uninstall-service`: takes back what `install-service` did, but never the vault or the journal. */
export const uninstallService: Action = async context => {
  const place = placeOf(context)
  if (!place.isDryRun && place.root === '/') refuseOthersThanRoot()
  const layouts = (['single', 'split'] as const satisfies readonly LayoutName[]).map(name =>
    layoutOf(name, { binary: '/', systemd: 253 }),
  )
  const owned = layouts.flatMap(layout => layout.owned.map(({ path }) => path))
  refuseChanged(owned, place)
  const units = layouts.flatMap(layout => layout.units)
  stop(units, place)
  for (const path of owned) removeFile(path, place)
  for (const { path } of Object.values(credentials)) removeFile(path, place)
  for (const { path, text } of layouts.flatMap(({ settings }) => settings)) {
    if (readInstalled(join(place.root, path)) === text) removeFile(path, place)
  }
  for (const path of [rootFolder, settingsFolder]) removeEmptyFolder(path, place)
  runSystemTool(['systemctl', 'daemon-reload'], place)
  context.terminal.note(`the vault and the journal stay where they are: ${stateFolder}*`)
  return 0
}

/** systemctl fails on a unit that is not there. */
function stop(units: readonly string[], place: Place): void {
  if (place.root !== '/') return
  const known = units.filter(unit => runTool(['systemctl', 'cat', unit]).status === 0)
  if (known.length > 0) runSystemTool(['systemctl', 'disable', '--now', ...known], place)
}
