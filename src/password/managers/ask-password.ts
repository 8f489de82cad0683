import type { Asking, AskManager } from './asking.ts'
import { askAws } from './aws.ts'
import { askAzure } from './azure.ts'
import { askHashicorp } from './hashicorp.ts'
import type { ManagerName } from './names.ts'
import { askVgs } from './vgs.ts'

const clients: { readonly [Name in ManagerName]: AskManager<Name> } = {
  aws: askAws,
  azure: askAzure,
  vgs: askVgs,
  hashicorp: askHashicorp,
}

type AskingAny = Omit<Asking<ManagerName>, 'variable' | 'fileOf'> & {
  variable(name: string): string | undefined
  fileOf(name: string): string | undefined
}

/** The vault's password, from the manager of this name. */
export function askPassword(name: ManagerName, asking: AskingAny): Promise<string> {
  return clients[name](asking)
}
