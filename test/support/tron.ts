import fc from 'fast-check'
import type { Signed } from '../../src/base/model.ts'
import type { Prepared } from '../../src/chains/chain.ts'
import { tron } from '../../src/chains/tron.ts'
import { ownOf, pendingOf, signAll } from './evm.ts'
import { TronWeb, utils } from './tronweb.ts'

/** Index 0 of "abandon … about", as in recorded cases. */
export const tronKey = 'b5a4cea271ff424d7c31dc12a3e43e401df7a40d7412a15750f3f0b6b5449a28'
export const owner = '41c8599111f29c1e1e061265b4af93ea1f274ad78a'
export const ownerText = 'TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH'
export const somebody = '41b6e708a39781c96bd399c7657780ff9fe9f052a8'
export const somebodyText = 'TSeJkUh4Qv67VNFwY8LaAxERygNdy6NQZK'
export const token = '41a614f803b6fd780986a42c78ec9c7f77e6ded13c'
export const tokenText = 'TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t'

const secret = Uint8Array.from(Buffer.from(tronKey, 'hex'))
export const own = ownOf(secret)
const library = new TronWeb({ fullHost: 'http://127.0.0.1:9' })

type Part = Readonly<Record<string, unknown>>
export type Contract = { readonly type: string; readonly value: Part; readonly more?: Part }
export type TronJson = {
  readonly txID: string
  readonly raw_data: {
    readonly contract: readonly { readonly parameter: { readonly value: Part } }[]
  } & Part
  readonly raw_data_hex: string
} & Part

export const head = {
  ref_block_bytes: '5a3c',
  ref_block_hash: 'a1b2c3d4e5f60718',
  expiration: 1767225660000,
  timestamp: 1767225600000,
}
export const transfer: Contract = {
  type: 'TransferContract',
  value: { amount: 1_500_000, owner_address: owner, to_address: somebody },
}

/** An unsigned transaction as a full node writes it; the bytes are TronWeb's. */
export function unsigned({ type, value, more }: Contract, changes: Part = {}): TronJson {
  const type_url = `type.googleapis.com/protocol.${type}`
  const contract = [{ parameter: { value, type_url }, type, ...more }]
  const raw_data = { contract, ...head, ...changes }
  return sealed({ visible: false, txID: '', raw_data, raw_data_hex: '' })
}

/** With the bytes and the id that TronWeb makes of its `raw_data`. */
export function sealed(json: TronJson): TronJson {
  const pb = utils.transaction.txJsonToPb(json)
  const raw_data_hex = utils.transaction.txPbToRawDataHex(pb).toLowerCase()
  return { ...json, txID: utils.transaction.txPbToTxID(pb).replace('0x', ''), raw_data_hex }
}

/** The same with other bytes, and their id. */
export function withBytes(json: TronJson, bytes: Uint8Array): TronJson {
  const txID = new Bun.CryptoHasher('sha256').update(bytes).digest('hex')
  return { ...json, txID, raw_data_hex: Buffer.from(bytes).toString('hex') }
}

/** With other values in the one contract of `raw_data`; the bytes stay. */
export function withValue(json: TronJson, change: Part): TronJson {
  const copy = structuredClone(json)
  Object.assign(copy.raw_data.contract[0]?.parameter.value ?? {}, change)
  return copy
}

export function prepare(json: unknown): Prepared {
  return tron.prepare(pendingOf(tron, json), own, {})
}

/** As the program does it, the key work by the library that does it there. */
export function sign(json: unknown): Signed {
  const prepared = prepare(json)
  return prepared.seal(signAll(prepared, secret))
}

/** By TronWeb alone. */
export async function signByLibrary(json: TronJson): Promise<string> {
  return JSON.stringify(await library.trx.sign(json as never, tronKey))
}

/** `data` of a call of a token: a selector and words of 32 bytes. */
export function callData(selector: string, ...words: readonly (string | number)[]): string {
  return selector + words.map(word => wordOf(word)).join('')
}

function wordOf(word: string | number): string {
  const digits = typeof word === 'number' ? word.toString(16) : word.replace(/^41/, '')
  return digits.padStart(64, '0')
}

const address = fc.uint8Array({ minLength: 20, maxLength: 20 }).map(bytes => `41${hexOf(bytes)}`)
const hexText = fc.uint8Array({ minLength: 1, maxLength: 70 }).map(hexOf)
const positive = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })
const whole = fc.nat(Number.MAX_SAFE_INTEGER)
/** int32 */
const small = fc.integer({ min: 1, max: 2 ** 31 - 1 })
const owner_address = fc.constant(owner)
const resource = fc.constantFrom('BANDWIDTH', 'ENERGY', 'TRON_POWER')
const name = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' }).map(toHex)
const tokenId = fc.integer({ min: 1_000_001, max: 2_000_000 })
const tokenCall = fc
  .record({ to: address, amount: whole, selector: fc.constantFrom('a9059cbb', '095ea7b3') })
  .map(({ to, amount, selector }) => callData(selector, to, amount))
const word = fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' })
const parameters = fc.array(
  fc.record(
    { name: word, type: fc.constantFrom('address', 'uint256'), indexed: fc.constant(true) },
    { requiredKeys: ['name', 'type'] },
  ),
  { maxLength: 3 },
)
const entry = fc.record(
  {
    name: word,
    type: fc.constantFrom('Function', 'constructor', 'Event', 'fallback', 'RECEIVE', 'error'),
    inputs: parameters,
    outputs: parameters,
    stateMutability: fc.constantFrom('Pure', 'view', 'nonpayable', 'Payable'),
    payable: fc.boolean(),
    constant: fc.boolean(),
    anonymous: fc.constant(true),
  },
  { requiredKeys: ['name', 'type'] },
)

/** TronWeb wants what it sets in any case to be there; the rest can be. */
export const valuesByType: Readonly<Record<string, fc.Arbitrary<Part>>> = {
  TransferContract: fc.record({ owner_address, to_address: address, amount: positive }),
  TransferAssetContract: fc.record({
    asset_name: tokenId.map(id => toHex(`${id}`)),
    owner_address,
    to_address: address,
    amount: positive,
  }),
  TriggerSmartContract: fc.record(
    {
      owner_address,
      contract_address: address,
      call_value: whole,
      data: fc.oneof(tokenCall, hexText),
      call_token_value: positive,
      token_id: tokenId,
    },
    { requiredKeys: ['owner_address', 'contract_address'] },
  ),
  CreateSmartContract: fc.record(
    {
      owner_address,
      new_contract: fc.record(
        {
          abi: fc.record({ entrys: fc.array(entry, { maxLength: 3 }) }),
          bytecode: hexText,
          call_value: positive,
          consume_user_resource_percent: fc.nat(100),
          name: word,
          origin_address: owner_address,
          origin_energy_limit: whole,
        },
        { requiredKeys: ['origin_address'] },
      ),
      call_token_value: positive,
      token_id: tokenId,
    },
    { requiredKeys: ['owner_address', 'new_contract'] },
  ),
  AssetIssueContract: fc.record(
    {
      owner_address,
      name,
      abbr: name,
      total_supply: positive,
      trx_num: small,
      num: small,
      start_time: whole,
      end_time: whole,
      precision: fc.integer({ min: 1, max: 6 }),
      vote_score: small,
      description: name,
      url: name,
      free_asset_net_limit: whole,
      public_free_asset_net_limit: whole,
      frozen_supply: fc.tuple(fc.record({ frozen_amount: positive, frozen_days: positive })),
    },
    { requiredKeys: ['owner_address', 'name', 'total_supply'] },
  ),
  FreezeBalanceContract: fc.record(
    {
      owner_address,
      frozen_balance: positive,
      frozen_duration: positive,
      resource,
      receiver_address: address,
    },
    { requiredKeys: ['owner_address', 'frozen_balance'] },
  ),
  FreezeBalanceV2Contract: fc.record(
    { owner_address, frozen_balance: positive, resource },
    { requiredKeys: ['owner_address', 'frozen_balance'] },
  ),
  UnfreezeBalanceV2Contract: fc.record(
    { owner_address, unfreeze_balance: positive, resource },
    { requiredKeys: ['owner_address', 'unfreeze_balance'] },
  ),
}

const heads = fc.record(
  {
    ref_block_bytes: fc.uint8Array({ minLength: 2, maxLength: 2 }).map(hexOf),
    ref_block_hash: fc.uint8Array({ minLength: 8, maxLength: 8 }).map(hexOf),
    expiration: fc.integer({ min: 1, max: 2 ** 41 }),
    timestamp: fc.nat(2 ** 41),
    fee_limit: fc.nat(1_000_000_000),
    data: hexText,
  },
  { requiredKeys: [] },
)

/** Any transaction of one type, by TronWeb's own encoder. */
export function transactionsOf(type: string): fc.Arbitrary<TronJson> {
  const values = valuesByType[type] ?? fc.constant({})
  const more = fc.record({ Permission_id: fc.integer({ min: 1, max: 9 }) }, { requiredKeys: [] })
  return fc
    .tuple(values, heads, more)
    .map(([value, changes, added]) => unsigned({ type, value, more: added }, changes))
}

export const anyTransaction = fc.constantFrom(...Object.keys(valuesByType)).chain(transactionsOf)

export function toHex(text: string): string {
  return Buffer.from(text).toString('hex')
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
