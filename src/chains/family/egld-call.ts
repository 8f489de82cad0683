import { fromHex, hex } from '../../base/bytes.ts'

/** Tokens that the data of a transaction moves, read to its last byte. */
export type TokenMove = {
  /** The 32 bytes of an address, where data says who gets them; otherwise it is the receiver. */
  readonly to?: Uint8Array
  readonly items: readonly TokenItem[]
  /** True when it hands on a call that means something to the recipient only. */
  readonly unread: boolean
}

type TokenItem = { readonly token: string; readonly nonce: bigint; readonly amount: bigint }
type Arguments = readonly Uint8Array[]

/** More than one transaction ever moves. */
const maxItems = 100n

/**
 * The move of tokens that `data` is: a function and its arguments in hex, with @ between them
 * (docs.multiversx.com, "ESDT transfers"). Undefined for anything that is not exactly one.
 */
export function readTokenMove(data: string): TokenMove | undefined {
  const [name = '', ...texts] = data.split('@')
  const read = readers.get(name)
  const args = texts.map(fromHex)
  return args.every(arg => arg !== undefined) ? read?.(args) : undefined
}

/** The 32 bytes of the address that a contract is to belong to; undefined where data is not that. */
export function readNewOwner(data: string): Uint8Array | undefined {
  const [, digits = ''] = /^ChangeOwnerAddress@([0-9a-f]{64})$/.exec(data) ?? []
  return digits === '' ? undefined : fromHex(digits)
}

const readers: ReadonlyMap<string, (args: Arguments) => TokenMove | undefined> = new Map([
  ['ESDTTransfer', readTransfer],
  ['ESDTNFTTransfer', readNftTransfer],
  ['MultiESDTNFTTransfer', readMultiTransfer],
])

function readTransfer([token, amount, ...call]: Arguments): TokenMove | undefined {
  const item = readItem(token, new Uint8Array(), amount)
  return item && { items: [item], unread: call.length > 0 }
}

function readNftTransfer([token, nonce, amount, to, ...call]: Arguments): TokenMove | undefined {
  const item = readItem(token, nonce, amount)
  if (item === undefined || to?.length !== 32) return undefined
  return { to, items: [item], unread: call.length > 0 }
}

function readMultiTransfer([to, count, ...rest]: Arguments): TokenMove | undefined {
  const announced = readNumber(count)
  if (to?.length !== 32 || announced === undefined) return undefined
  if (announced === 0n || announced > maxItems || rest.length < 3 * Number(announced)) {
    return undefined
  }
  const items = Array.from({ length: Number(announced) }, (_, i) =>
    readItem(...rest.slice(3 * i, 3 * i + 3)),
  )
  if (!items.every(item => item !== undefined)) return undefined
  return { to, items, unread: rest.length > 3 * items.length }
}

function readItem(
  token?: Uint8Array,
  nonceDigits?: Uint8Array,
  digits?: Uint8Array,
): TokenItem | undefined {
  const name = Buffer.from(token ?? []).toString('latin1')
  const nonce = readNumber(nonceDigits)
  const amount = readNumber(digits)
  if (!/^[!-~]{1,40}$/.test(name) || nonce === undefined || amount === undefined) return undefined
  return { token: name, nonce, amount }
}

/** Big endian; no bytes are 0. */
function readNumber(digits: Uint8Array | undefined): bigint | undefined {
  if (digits === undefined || digits.length > 32) return undefined
  return BigInt(`0x0${hex(digits)}`)
}
