import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Network } from '../../src/base/model.ts'

/** A payment recorded from the original's signing code (test/vectors/README.md). */
export type RecordedCase = {
  readonly chain: string
  readonly network: Network
  readonly case: string
  readonly note?: string
  readonly pending: {
    readonly id: string
    readonly hashes: readonly string[]
    readonly serializedTransaction: string
    readonly signatures?: readonly { readonly id: string; readonly index: number }[]
    readonly index?: number
    readonly withdrawalId?: string
    readonly withdrawalResponses?: unknown
  }
  readonly wallets: Readonly<Record<string, RecordedWallet>>
  readonly http: readonly RecordedExchange[]
  readonly expected: {
    readonly outcome: 'signed' | 'refused'
    readonly txData?: string
    /** What of `txData` counts, where that is not every byte. */
    readonly compare?: string
    readonly broadcast?: { readonly path: string; readonly body: unknown }
    readonly differsFromOriginal?: string
    readonly originalError?: string
  }
}

/** As it stands in the original's wallet file. */
export type RecordedWallet = {
  readonly mnemonic?: string
  readonly privateKey?: string
  /** What some chains call the private key. */
  readonly secret?: string
  readonly chain: string
  readonly testnet: boolean
}

export type RecordedExchange = {
  /** `METHOD path`, with `{apiKey}` in the path. */
  readonly request: string
  readonly jsonrpc?: { readonly method: string; readonly params: readonly unknown[] }
  readonly result?: unknown
  readonly error?: unknown
  readonly body?: unknown
  readonly status?: number
  readonly response?: unknown
}

const folder = join(import.meta.dir, '../vectors/sign')

/** The cases of `chain`; none when it has no file. */
export function recordedCases(chain: string): readonly RecordedCase[] {
  const file = join(folder, `${chain}.json`)
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : []
}

/** Every chain that has recorded cases. */
export function recordedChains(): readonly string[] {
  return readdirSync(folder)
    .map(file => file.replace('.json', ''))
    .toSorted()
}
