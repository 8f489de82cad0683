import { asRecord } from '../base/json.ts'
import type { Cap, Policy, Rule } from './policy.ts'
import {
  addName,
  at,
  type Members,
  readAmount,
  readChoice,
  readDuration,
  readFlag,
  readSet,
  readTables,
  readText,
  refuseOthers,
  wrong,
} from './policy-reader.ts'
import { canonicalText } from './policy-text.ts'

/** The names that a policy may use: one it mistypes would be a rule about nothing. */
export type Vocabulary = {
  readonly chains: readonly string[]
  readonly kinds: readonly string[]
  readonly liftable: readonly string[]
}

/** The Nth part of each window's total is this daemon's, where others share it. */
export type Share = number

/**
 * A policy as its file has it, parsed. Whatever is not known, or not of its form, is a fault that
 * names its place; nothing is guessed and nothing ignored.
 *
 * @param share from the command line
 */
export function readPolicy(file: unknown, vocabulary: Vocabulary, share?: Share): Policy {
  const members = asRecord(file)
  if (members === undefined) throw wrong('the policy', 'it is no table')
  refuseOthers(members, '', ['version', 'default', 'share', 'lift', 'fees', 'rule', 'cap'])
  if (members.get('version') !== 1) throw wrong('version', 'it must be 1')
  const byDefault = readChoice(members, '', 'default', ['allow', 'deny'])
  if (byDefault === undefined) throw wrong('default', 'it must say "allow" or "deny"')
  const parts = sharedBy(readText(members, '', 'share'), share)
  const names = new Set<string>()
  return {
    default: byDefault,
    rules: readTables(members, 'rule').map(table => readRule(table, vocabulary, names)),
    caps: readTables(members, 'cap').map(table => readCap(table, vocabulary, names, parts)),
    lifted: [...(readSet(members, '', 'lift', knownIn(vocabulary.liftable, 'denial')) ?? [])],
    feeCaps: readFeeCaps(members.get('fees'), vocabulary),
  }
}

/** `1/N`, of a file or a command line. */
export function parseShare(text: string): Share | undefined {
  const [, parts] = /^1\/([1-9]\d{0,3})$/.exec(text) ?? []
  return parts === undefined ? undefined : Number(parts)
}

function sharedBy(text: string | undefined, given: Share | undefined): bigint {
  const own = text === undefined ? undefined : parseShare(text)
  if (text !== undefined && own === undefined) throw wrong('share', 'it must be like "1/3"')
  if (own !== undefined && given !== undefined) throw wrong('share', '--share is given as well')
  return BigInt(own ?? given ?? 1)
}

type Table = { readonly members: Members; readonly place: string }

const matchers = ['chains', 'kinds', 'wallets', 'recipients', 'assets', 'unread']

function readRule(
  { members, place }: Table,
  { chains, kinds }: Vocabulary,
  names: Set<string>,
): Rule {
  const name = addName(members, place, names)
  const where = `rule "${name}"`
  refuseOthers(members, where, ['name', 'action', ...matchers])
  const action = readChoice(members, where, 'action', ['allow', 'deny'])
  if (action === undefined) throw wrong(at(where, 'action'), 'it must say "allow" or "deny"')
  return withoutAbsent({
    name,
    action,
    chains: readSet(members, where, 'chains', knownIn(chains, 'chain')),
    kinds: readSet(members, where, 'kinds', knownIn(kinds, 'kind of payment')),
    wallets: readSet(members, where, 'wallets', walletId),
    recipients: readSet(members, where, 'recipients', recipient),
    assets: readSet(members, where, 'assets', assetOf(chains)),
    unread: readFlag(members, where, 'unread'),
  })
}

const capMembers = ['name', 'asset', 'wallets', 'except', 'each', 'transaction', 'window', 'total']

function readCap(
  { members, place }: Table,
  { chains }: Vocabulary,
  names: Set<string>,
  parts: bigint,
): Cap {
  const name = addName(members, place, names)
  const where = `cap "${name}"`
  refuseOthers(members, where, capMembers)
  const asset = readText(members, where, 'asset')
  if (asset === undefined) throw wrong(at(where, 'asset'), 'it is missing')
  const transaction = readAmount(members, where, 'transaction')
  const total = readAmount(members, where, 'total')
  const ms = readDuration(members, where, 'window')
  if ((ms === undefined) !== (total === undefined)) {
    throw wrong(where, 'window and total belong together')
  }
  if (transaction === undefined && total === undefined) {
    throw wrong(where, 'it has neither transaction nor window and total')
  }
  return withoutAbsent({
    name,
    asset: assetOf(chains)(asset, at(where, 'asset')),
    wallets: readSet(members, where, 'wallets', walletId),
    except: readSet(members, where, 'except', recipient),
    eachWallet: readChoice(members, where, 'each', ['wallet']) !== undefined,
    transaction,
    window: ms === undefined || total === undefined ? undefined : { ms, total: total / parts },
  })
}

function readFeeCaps(value: unknown, { chains }: Vocabulary): Policy['feeCaps'] {
  if (value === undefined) return {}
  const members = asRecord(value)
  if (members === undefined) throw wrong('fees', 'it is no table')
  refuseOthers(members, 'fees', chains)
  const caps = [...members.keys()].map(chain => [chain, `${readAmount(members, 'fees', chain)}`])
  const tooLong = caps.find(([, cap = '']) => cap.length > maxFeeDigits)
  if (tooLong !== undefined) throw wrong(`fees, ${tooLong[0]}`, 'it is no fee that anybody pays')
  return Object.fromEntries(caps)
}

const maxFeeDigits = 40

type ReadName = (text: string, where: string) => string

function knownIn(known: readonly string[], noun: string): ReadName {
  return (text, where) => {
    if (known.includes(text)) return text
    throw wrong(where, `it is no ${noun} that is known here`)
  }
}

function walletId(text: string, where: string): string {
  const id = text.toLowerCase()
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) return id
  throw wrong(where, 'it is no signatureId')
}

function recipient(text: string): string {
  return canonicalText(text)
}

/** VTHO, which VET pays its fees in, is the one coin without a chain of its own name. */
function assetOf(chains: readonly string[]): ReadName {
  return (text, where) => {
    const [chain = ''] = text.split(/[:#]/, 1)
    if (chains.includes(chain) || text === 'VTHO') return canonicalText(text)
    throw wrong(where, 'it does not begin with the name of a chain')
  }
}

type Present<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>
}

function withoutAbsent<T extends object>(members: T): Present<T> {
  const present = Object.entries(members).filter(([, value]) => value !== undefined)
  return Object.fromEntries(present) as Present<T>
}
