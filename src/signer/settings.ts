import { KmsError } from '../base/errors.ts'
import { asArray, asInteger, asRecord, asString, parseJson } from '../base/json.ts'
import type { Network } from '../base/model.ts'
import type { ChainSettings } from '../chains/chain.ts'
import { decodeChainSettings } from '../chains/settings.ts'
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
  /** The one payment that this signer cancels; it then signs nothing else. */
  readonly cancel: string | null
  /** The one payment that it signs anew, and nothing else. */
  readonly resign: string | null
  readonly channelFd: number
  readonly passwordFd: number
  readonly frontPid: number
}

export function decodeSignerSettings(text: string): SignerSettings {
  const record = asRecord(parseJson(text))
  const integer = (name: string): number => {
    const value = asInteger(record?.get(name))
    if (value === undefined || value < 0) throw notByHand()
    return value
  }
  const vaultPath = asString(record?.get('vaultPath'))
  const network = record?.get('network')
  const chainSettings = decodeChainSettings(record?.get('chainSettings'))
  const secretMemory = record?.get('secretMemory')
  const acceptNonces = asArray(record?.get('acceptNonces'))?.map(asString)
  const cancel = record?.get('cancel')
  const resign = record?.get('resign')
  if (vaultPath === undefined || (network !== 'mainnet' && network !== 'testnet')) throw notByHand()
  if (secretMemory !== 'auto' && secretMemory !== 'locked') throw notByHand()
  if (chainSettings === undefined || !acceptNonces?.every(isText)) throw notByHand()
  if (!isOrder(cancel) || !isOrder(resign)) throw notByHand()
  if (cancel !== null && resign !== null) throw notByHand()
  return {
    vaultPath,
    network,
    chainSettings,
    secretMemory,
    lockWaitMs: integer('lockWaitMs'),
    acceptRollback: record?.get('acceptRollback') === true,
    acceptNonces,
    cancel,
    resign,
    channelFd: integer('channelFd'),
    passwordFd: integer('passwordFd'),
    frontPid: integer('frontPid'),
  }
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
