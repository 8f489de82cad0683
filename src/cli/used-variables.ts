type UsedVariable = {
  readonly name: string
  /** The option that goes before it. */
  readonly flag?: string
  /** Never printed: its being there is all that is told. */
  readonly secret?: true
  /** What holds when nothing is set. */
  readonly usual?: string
}

/** Every variable that this program reads, for `checkconfig`; the manual lists the same. */
export const usedVariables: readonly UsedVariable[] = [
  { name: 'TATUM_API_KEY', flag: 'api-key', secret: true },
  { name: 'TATUM_API_URL', usual: 'https://api.tatum.io' },
  { name: 'TATUM_KMS_PASSWORD', secret: true },
  { name: 'TATUM_KMS_FLOW_SCRIPTS', usual: 'cadence1' },
  { name: 'TATUM_KMS_FLOW_URL', usual: 'the public node of the network' },
  { name: 'TATUM_KMS_VET_URL', usual: 'the public node of the network' },
]
