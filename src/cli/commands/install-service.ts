import { vaultExists } from '../../vault/vault.ts'
import type { Action } from '../action.ts'
import type { Context } from '../context.ts'
import { makeFolders, refuseChanged, runSystemTool, writeFiles } from '../services/installation.ts'
import { type Layout, layoutOf, vaultFile } from '../services/layout.ts'
import {
  refuseOthersThanRoot,
  refuseReplaceable,
  serviceBinary,
  systemdVersion,
} from '../services/machine.ts'
import { placeOf } from '../services/place.ts'
import { askCredentials } from '../services/secrets.ts'

/** `install-service`: makes systemd run the daemon, in one unit or in two. Says all that it does. */
export const installService: Action = async context => {
  const place = placeOf(context)
  const { isDryRun, root } = place
  const binary = serviceBinary(context.text('binary'), context.self[0])
  if (!isDryRun && root === '/') {
    refuseOthersThanRoot()
    refuseReplaceable(binary)
  }
  const name = context.isSet('split') ? 'split' : 'single'
  const layout = layoutOf(name, { binary, systemd: systemdVersion() })
  refuseChanged(
    layout.owned.map(({ path }) => path),
    place,
  )
  using secrets = askCredentials(context, place)
  makeFolders(layout.folders, place)
  writeFiles(layout.settings, 'keep', place)
  secrets.seal()
  writeFiles(layout.owned, 'replace', place)
  if (layout.usersFile !== undefined) runSystemTool(['systemd-sysusers', layout.usersFile], place)
  runSystemTool(['systemctl', 'daemon-reload'], place)
  if (!isDryRun) sayWhatIsLeft(context, layout)
  return 0
}

/** A service is never started by itself: there are settings to be made, and a vault. */
function sayWhatIsLeft({ terminal, place }: Context, { units, settings }: Layout): void {
  const [service = ''] = units
  terminal.note(`settings: ${settings.map(({ path }) => path).join(', ')}`)
  if (!vaultExists({ ...place, path: vaultFile })) {
    terminal.note(
      `there is no vault yet: tatum-kms generatemanagedwallet CHAIN --path=${vaultFile}`,
    )
  }
  terminal.note(`then: systemctl enable --now ${service}`)
}
