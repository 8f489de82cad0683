import type { KlayAction } from './klay-tx.ts'

/** Who bears the fee of a transaction: its sender, a fee payer, or both in a ratio. */
export type Delegation = 'none' | 'full' | 'ratio'

export type KlayType = { readonly action: KlayAction; readonly delegation: Delegation }

/** An item of the RLP list in front of the signatures. */
export type BodyItem =
  | 'nonce'
  | 'price'
  | 'gas'
  | 'to'
  | 'value'
  | 'from'
  | 'data'
  | 'humanReadable'
  | 'ratio'
  | 'codeFormat'

type TypeFacts = {
  readonly name: string
  readonly byte: number
  readonly items: readonly BodyItem[]
}

const payment = ['nonce', 'price', 'gas', 'to', 'value', 'from'] as const

/**
 * Kaia's transaction types (docs.kaia.io, "Transactions") by what they do: the name in JSON and the
 * first byte. With a fee payer the name begins with FEE_DELEGATED_ and the byte is one more; with a
 * ratio the name ends in _WITH_RATIO, too, and the byte is two more.
 */
const types: Readonly<Record<KlayAction, TypeFacts>> = {
  transfer: { name: 'VALUE_TRANSFER', byte: 0x08, items: payment },
  memo: { name: 'VALUE_TRANSFER_MEMO', byte: 0x10, items: [...payment, 'data'] },
  deploy: {
    name: 'SMART_CONTRACT_DEPLOY',
    byte: 0x28,
    items: [...payment, 'data', 'humanReadable', 'codeFormat'],
  },
  execution: { name: 'SMART_CONTRACT_EXECUTION', byte: 0x30, items: [...payment, 'data'] },
  cancel: { name: 'CANCEL', byte: 0x38, items: ['nonce', 'price', 'gas', 'from'] },
  update: {
    name: 'ACCOUNT_UPDATE',
    byte: 0x20,
    items: ['nonce', 'price', 'gas', 'from', 'data'],
  },
}

const actions: readonly KlayAction[] = [
  'transfer',
  'memo',
  'deploy',
  'execution',
  'cancel',
  'update',
]

/** By what they add to the first byte. */
const delegations: readonly Delegation[] = ['none', 'full', 'ratio']

const all: readonly KlayType[] = actions.flatMap(action =>
  delegations.map(delegation => ({ action, delegation })),
)

export function findTypeByName(name: string): KlayType | undefined {
  return all.find(type => nameOf(type) === name)
}

export function findTypeByByte(byte: number | undefined): KlayType | undefined {
  return all.find(type => byteOf(type) === byte)
}

export function byteOf({ action, delegation }: KlayType): number {
  return types[action].byte + delegations.indexOf(delegation)
}

export function bodyItems({ action, delegation }: KlayType): readonly BodyItem[] {
  const { items } = types[action]
  if (delegation !== 'ratio') return items
  // The ratio comes last, but for the code format.
  const before = items.filter(item => item !== 'codeFormat')
  return [...before, 'ratio', ...items.slice(before.length)]
}

function nameOf({ action, delegation }: KlayType): string {
  const { name } = types[action]
  if (delegation === 'none') return name
  return `FEE_DELEGATED_${name}${delegation === 'ratio' ? '_WITH_RATIO' : ''}`
}
