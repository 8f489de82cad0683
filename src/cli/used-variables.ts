import {
  authorities,
  type ManagerName,
  managerNames,
  managers,
  secretVariables,
} from '../password/managers/names.ts'

type UsedVariable = {
  readonly name: string
  /** The option that goes before it. */
  readonly flag?: string
  /** Never printed: its being there is all that is told. */
  readonly secret?: true
  /** The secret manager that goes by it. */
  readonly manager?: ManagerName
  /** What holds when nothing is set. */
  readonly usual?: string
}

/** Every variable that this program reads, for `checkconfig`; the manual lists the same. */
export const usedVariables: readonly UsedVariable[] = [
  { name: 'TATUM_API_KEY', flag: 'api-key', secret: true },
  { name: 'TATUM_API_URL', usual: 'https://api.tatum.io' },
  { name: 'TATUM_KMS_JOURNAL_URL', flag: 'journal', secret: true },
  { name: 'PGPASSWORD', secret: true },
  { name: 'PGPASSFILE', usual: '~/.pgpass' },
  { name: 'TATUM_KMS_PASSWORD', secret: true },
  { name: 'TATUM_KMS_FLOW_SCRIPTS', usual: 'cadence1' },
  { name: 'TATUM_KMS_FLOW_URL', usual: 'the public node of the network' },
  { name: 'TATUM_KMS_VET_URL', usual: 'the public node of the network' },
  { name: authorities, usual: 'the authorities of the public web' },
  ...managerNames.flatMap(variablesOf),
]

function variablesOf(manager: ManagerName): readonly UsedVariable[] {
  return managers[manager].variables
    .filter(name => name !== authorities)
    .map(name => ({ name, manager, ...(secretVariables.includes(name) && { secret: true }) }))
}
