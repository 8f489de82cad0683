import { KmsError } from '../base/errors.ts'
import { asArray, asInteger, asRecord, asString, parseJson } from '../base/json.ts'
import type { Network } from '../base/model.ts'
import type { ChainSettings } from '../chains/chain.ts'
import { decodeChainSettings } from '../chains/settings.ts'
import { parseApproverKey } from '../guard/approver-key.ts'
import type { ApprovalRules } from '../guard/signed-verdicts.ts'
import type { SecretMemory } from '../secret/memory.ts'
import { isPendingId } from '../tatum/pending.ts'

/**
 * What the signer goes by. It comes from the command line of the process that became the signer and
 * never over the pipe: the front cannot change a rule.
 */
export type SignerSettings = {
  readonly vaultPath: string
  readonly network: Network
  readonly chainSettings: ChainSettings
  readonly secretMemory: SecretMemory
  readonly lockWaitMs: number
  /** The owner put an older copy of the vault back on purpose. */
  readonly acceptRollback: boolean
  /** Addresses, in lower case, whose nonce may be far ahead of the ledger: the owner looked it up. */
  readonly acceptNonces: readonly string[]
  /** The journal is shared: signers of other machines give out numbers of the same addresses. */
  readonly othersSign: boolean
  /** A payment may take the place of one that it pays a higher fee than, and is the same as else. */
  readonly allowReplacement: boolean
  /** The one payment that this signer cancels; it then signs nothing else. */
  readonly cancel: string | null
  /** The one payment that it signs anew, and nothing else. */
  readonly resign: string | null
  /** The owner's file of rules, which this process reads itself; null where there is none. */
  readonly policyPath: string | null
  /** N where the windows of the policy are shared by N daemons. */
  readonly policyShare: number | null
  /** Who must sign that a payment may be made; no keys where nobody needs to. */
  readonly approvers: ApprovalRules
  /** A socket of systemd's, to tell it how we are; null where there is none. */
  readonly notifyFd: number | null
  /** What systemd allows between two signs of life; null where it does not watch. */
  readonly watchdogMs: number | null
  /** Lines on stderr start with their priority: journald reads them. */
  readonly logPriorities: boolean
  /** What could not be given up before this process began, and whether it then may not go on. */
  readonly misses: readonly string[]
  readonly requireHardening: boolean
  readonly channelFd: number
  readonly passwordFd: number
  /** The child that is the front; null where it is a service of its own. */
  readonly frontPid: number | null
}

export function decodeSignerSettings(text: string): SignerSettings {
  const record = asRecord(parseJson(text))
  const integer = (name: string): number => {
    const value = asInteger(record?.get(name))
    if (value === undefined || value < 0) throw notByHand()
    return value
  }
  const flag = (name: string): boolean => {
    const value = record?.get(name)
    if (typeof value !== 'boolean') throw notByHand()
    return value
  }
  const vaultPath = asString(record?.get('vaultPath'))
  const network = record?.get('network')
  const chainSettings = decodeChainSettings(record?.get('chainSettings'))
  const secretMemory = record?.get('secretMemory')
  const acceptNonces = asArray(record?.get('acceptNonces'))?.map(asString)
  const approvers = decodeApprovers(record?.get('approvers'))
  const misses = asArray(record?.get('misses'))?.map(asString)
  const cancel = record?.get('cancel')
  const resign = record?.get('resign')
  const policyPath = record?.get('policyPath')
  if (vaultPath === undefined || (network !== 'mainnet' && network !== 'testnet')) throw notByHand()
  if (secretMemory !== 'auto' && secretMemory !== 'locked') throw notByHand()
  if (chainSettings === undefined || !acceptNonces?.every(isText)) throw notByHand()
  if (!isOrder(cancel) || !isOrder(resign) || approvers === undefined) throw notByHand()
  if (cancel !== null && resign !== null) throw notByHand()
  if (!misses?.every(isText)) throw notByHand()
  // What says nothing of a policy does not say that there is none.
  if (policyPath !== null && !isText(policyPath)) throw notByHand()
  return {
    vaultPath,
    network,
    chainSettings,
    secretMemory,
    lockWaitMs: integer('lockWaitMs'),
    acceptRollback: flag('acceptRollback'),
    acceptNonces,
    othersSign: flag('othersSign'),
    allowReplacement: flag('allowReplacement'),
    cancel,
    resign,
    policyPath,
    policyShare: record?.get('policyShare') === null ? null : integer('policyShare'),
    approvers,
    notifyFd: record?.get('notifyFd') === null ? null : integer('notifyFd'),
    watchdogMs: record?.get('watchdogMs') === null ? null : integer('watchdogMs'),
    logPriorities: flag('logPriorities'),
    misses,
    requireHardening: flag('requireHardening'),
    channelFd: integer('channelFd'),
    passwordFd: integer('passwordFd'),
    frontPid: record?.get('frontPid') === null ? null : integer('frontPid'),
  }
}

/** Our own command line was checked before: what else it may be is no rule at all. */
function decodeApprovers(value: unknown): ApprovalRules | undefined {
  const record = asRecord(value)
  const keys = asArray(record?.get('keys'))?.map(asString)
  const approvals = asInteger(record?.get('approvals'))
  if (!keys?.every(isText) || keys.some(key => parseApproverKey(key) !== key)) return undefined
  if (approvals === undefined || approvals > keys.length) return undefined
  return approvals >= Math.min(1, keys.length) ? { keys, approvals } : undefined
}

/** Which payment a person's order is about; null where there is none. */
function isOrder(value: unknown): value is string | null {
  return value === null || (isText(value) && isPendingId(value))
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function notByHand(): KmsError {
  return new KmsError('usage', 'the signer is started by the daemon, not by hand')
}
