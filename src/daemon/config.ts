import { KmsError } from '../base/errors.ts'
import { asArray, asInteger, asRecord, asString } from '../base/json.ts'
import type { Network, NodeName } from '../base/model.ts'
import type { ChainSettings } from '../chains/chain.ts'
import { decodeChainSettings } from '../chains/settings.ts'
import type { ApprovalRules } from '../guard/signed-verdicts.ts'
import type { SharedPlace } from './journal-postgres.ts'
import { decodeOperations, type OperationsConfig } from './operations-config.ts'

/** All the front knows of the command line and the environment. */
export type FrontConfig = {
  readonly apiUrl: string
  readonly apiKey: string
  /** Addresses of chains' own nodes, which get no key. */
  readonly nodes: Readonly<Record<NodeName, string>>
  readonly approver: {
    readonly url: string
    readonly method: 'GET' | 'POST'
    /** What its answers are signed with, and how many of them it takes; no keys: its status counts. */
    readonly rules: ApprovalRules
  } | null
  readonly insecureHttp: boolean
  /** The only certificate authorities it trusts, as PEM; null for those of the public web. */
  readonly authorities: string | null
  readonly proxy: string | null
  readonly network: Network
  readonly chains: readonly string[]
  /** Only these wallets are asked for, and only these payments made; null for all. */
  readonly onlyWallets: readonly string[] | null
  readonly onlyPayments: readonly string[] | null
  readonly chainSettings: ChainSettings
  readonly periodMs: number
  readonly runOnce: boolean
  /** The payment to cancel, in place of all else. */
  readonly cancel: string | null
  /** The payment to sign anew, in place of all else. */
  readonly resign: string | null
  readonly journalFolder: string
  /** Where daemons of several machines have their journal, in place of that folder. */
  readonly sharedJournal: SharedPlace | null
  /** For the journal, at most. */
  readonly lockWaitMs: number
  readonly operations: OperationsConfig
}

/** Reads the configuration off the pipe. It comes from our own main process: a bad one is a bug. */
export function decodeFrontConfig(value: unknown): FrontConfig {
  const record = asRecord(value)
  const approver = asRecord(record?.get('approver'))
  const rules = asRecord(approver?.get('rules'))
  const nodes = asRecord(record?.get('nodes'))
  return {
    apiUrl: need(asString(record?.get('apiUrl'))),
    apiKey: need(asString(record?.get('apiKey'))),
    nodes: { vet: need(asString(nodes?.get('vet'))), flow: need(asString(nodes?.get('flow'))) },
    approver: approver
      ? {
          url: need(asString(approver.get('url'))),
          method: approver.get('method') === 'POST' ? 'POST' : 'GET',
          rules: {
            keys: need(asNames(rules?.get('keys'))),
            approvals: need(asInteger(rules?.get('approvals'))),
          },
        }
      : null,
    insecureHttp: record?.get('insecureHttp') === true,
    authorities: asString(record?.get('authorities')) ?? null,
    proxy: asString(record?.get('proxy')) ?? null,
    network: record?.get('network') === 'testnet' ? 'testnet' : 'mainnet',
    chains: need(asNames(record?.get('chains'))),
    onlyWallets: asNames(record?.get('onlyWallets')) ?? null,
    onlyPayments: asNames(record?.get('onlyPayments')) ?? null,
    chainSettings: need(decodeChainSettings(record?.get('chainSettings'))),
    periodMs: need(asInteger(record?.get('periodMs'))),
    runOnce: record?.get('runOnce') === true,
    cancel: asString(record?.get('cancel')) ?? null,
    resign: asString(record?.get('resign')) ?? null,
    journalFolder: need(asString(record?.get('journalFolder'))),
    sharedJournal: decodeSharedPlace(record?.get('sharedJournal')),
    lockWaitMs: need(asInteger(record?.get('lockWaitMs'))),
    operations: need(decodeOperations(record?.get('operations'))),
  }
}

/** Null for what is none. */
export function decodeSharedPlace(value: unknown): SharedPlace | null {
  const record = asRecord(value)
  if (record === undefined) return null
  const secure = asRecord(record.get('secure'))
  return {
    host: need(asString(record.get('host'))),
    port: need(asInteger(record.get('port'))),
    database: need(asString(record.get('database'))),
    user: need(asString(record.get('user'))),
    password: asString(record.get('password')) ?? null,
    secure: secure ? { authorities: asString(secure.get('authorities')) ?? null } : null,
    machine: need(asString(record.get('machine'))),
    leaseMs: need(asInteger(record.get('leaseMs'))),
  }
}

function asNames(value: unknown): readonly string[] | undefined {
  return asArray(value)?.map(name => need(asString(name)))
}

function need<T>(value: T | undefined): T {
  if (value === undefined) throw new KmsError('unexpected', 'the front got no configuration')
  return value
}
