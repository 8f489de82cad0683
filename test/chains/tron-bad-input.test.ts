import { describe, expect, test } from 'bun:test'
import { refusalOf } from '../support/secret.ts'
import {
  callData,
  head,
  owner,
  ownerText,
  prepare,
  signByLibrary,
  somebody,
  somebodyText,
  type TronJson,
  toHex,
  token,
  transfer,
  unsigned,
  withBytes,
  withValue,
} from '../support/tron.ts'

type Part = Readonly<Record<string, unknown>>
/** A transaction, and the sentence that says what is wrong with it. */
type Fault = readonly [message: string, json: unknown]

const good = unsigned(transfer)
const bytes = Buffer.from(good.raw_data_hex, 'hex')
const inRaw = (change: Part) => ({ ...good, raw_data: { ...good.raw_data, ...change } })
const [contract] = good.raw_data.contract
const inContract = (change: Part) => inRaw({ contract: [{ ...contract, ...change }] })
const parameter = contract?.parameter
const inParameter = (change: Part) => inContract({ parameter: { ...parameter, ...change } })
const of = (type: string, value: Part) =>
  unsigned({ type, value: { owner_address: owner, ...value } })
const trigger = of('TriggerSmartContract', {
  contract_address: token,
  data: callData('a9059cbb', somebody, 1),
})
const frozen = of('FreezeBalanceV2Contract', { frozen_balance: 1, resource: 'ENERGY' })
const tokens = of('TransferAssetContract', {
  asset_name: toHex('1000001'),
  to_address: somebody,
  amount: 1,
})
const created = of('CreateSmartContract', {
  new_contract: {
    origin_address: owner,
    abi: { entrys: [{ name: 'f', type: 'Function', payable: true }] },
  },
})
const inCreated = (change: Part) =>
  withValue(created, { new_contract: { origin_address: owner, ...change } })

/** The contract in the bytes, with its tag and its length of 103. */
const packed = good.raw_data_hex.slice(42, 252)

/** With other bytes in the place of `found`, and their id. */
function inBytes(json: TronJson, found: string, replacement: string): TronJson {
  const spoilt = json.raw_data_hex.replace(found, replacement)
  if (spoilt === json.raw_data_hex) throw new Error(`${found} is not in the bytes`)
  return withBytes(json, Buffer.from(spoilt, 'hex'))
}

const notWhole = [-1, 0.5, 2 ** 53, 1e300, '1', '0x1', true, null, [], {}]
const notHex = ['0', '0x00', 'xx', ' 00', 0, null, {}, ['00']]
const notAddresses = [
  '',
  owner.slice(2),
  `${owner}00`,
  `42${owner.slice(2)}`,
  `a0${owner.slice(2)}`,
  `0x${owner.slice(2)}`,
  ownerText,
  0,
  null,
]
const differs = (where: string) =>
  `${where} is not what raw_data_hex says, which is what is executed`
const misspelled = 'has a field that is unknown, repeated, out of order or misspelled'

const malformed: readonly Fault[] = [
  ...['', '{', 'null', '1', '"{}"', '[]', '\ufeff{}', '{}{}'].map(
    (text): Fault => ['transaction is not a JSON object', text],
  ),
  ["transaction has an unknown member 'hash'", { ...good, hash: '' }],
  ["transaction has an unknown member '__proto__'", '{"__proto__":{}}'],
  [
    'transaction is malformed: a member is given twice',
    JSON.stringify(good).replace('"amount"', '"amount":1,"amount"'),
  ],
  ...notHex.map(
    (raw_data_hex): Fault => ['raw_data_hex is not bytes in hex', { ...good, raw_data_hex }],
  ),
  ['raw_data_hex is longer than 65536 bytes', { ...good, raw_data_hex: '00'.repeat(65_537) }],
  ...['', good.raw_data_hex, `0x${good.txID}`, 0, null].map(
    (txID): Fault => ['txID is not the hash of raw_data_hex', { ...good, txID }],
  ),
  ...[null, 0, 'false', {}].map(
    (visible): Fault => ['visible is not true or false', { ...good, visible }],
  ),
  ...[undefined, null, 1, 'x', []].map(
    (raw_data): Fault => ['raw_data is not a JSON object', { ...good, raw_data }],
  ),
  ["raw_data has an unknown member 'scripts'", inRaw({ scripts: '' })],
  ["raw_data has an unknown member 'auths'", inRaw({ auths: [] })],
  ["raw_data has an unknown member 'ref_block_num'", inRaw({ ref_block_num: 0 })],
  ...Object.keys(head)
    .filter(name => name !== 'timestamp')
    .map((name): Fault => [`raw_data.${name} is missing`, inRaw({ [name]: undefined })]),
  ['raw_data.expiration is 0', inRaw({ expiration: 0 })],
  ['raw_data.ref_block_hash is empty', inRaw({ ref_block_hash: '' })],
  ...['expiration', 'timestamp', 'fee_limit'].flatMap(name =>
    notWhole.map(
      (value): Fault => [
        `raw_data.${name} is not a whole number below 2^53`,
        inRaw({ [name]: value }),
      ],
    ),
  ),
  ...['ref_block_bytes', 'ref_block_hash', 'data'].flatMap(name =>
    notHex.map(
      (value): Fault => [`raw_data.${name} is not bytes in hex`, inRaw({ [name]: value })],
    ),
  ),
  ['contract is not a JSON object', inRaw({ contract: [null] })],
  ["contract has an unknown member 'provider'", inContract({ provider: '' })],
  ["contract has an unknown member 'ContractName'", inContract({ ContractName: '' })],
  ['contract.parameter is not a JSON object', inContract({ parameter: [] })],
  ["contract.parameter has an unknown member 'x'", inParameter({ x: 1 })],
  ['TransferContract is not a JSON object', inParameter({ value: undefined })],
  ["TransferContract has an unknown member 'memo'", withValue(good, { memo: '' })],
  ['TransferContract.amount is missing', withValue(good, { amount: undefined })],
  ['TransferContract.to_address is missing', withValue(good, { to_address: undefined })],
  ['TransferContract.amount is 0', withValue(good, { amount: 0 })],
  ...notWhole.map(
    (amount): Fault => [
      'TransferContract.amount is not a whole number below 2^53',
      withValue(good, { amount }),
    ],
  ),
  ...notAddresses.map(
    (to_address): Fault => [
      'TransferContract.to_address is not 41 and 40 hex digits',
      withValue(good, { to_address }),
    ],
  ),
  ...[
    somebody,
    `${somebodyText.slice(0, -1)}a`,
    `${somebodyText}1`,
    `0${somebodyText.slice(1)}`,
  ].map(
    (to_address): Fault => [
      'TransferContract.to_address is not an address (T...), or its checksum is wrong',
      { ...withValue(good, { to_address, owner_address: ownerText }), visible: true },
    ],
  ),
  ...['GAS', 'energy ', 1, null].map(
    (resource): Fault => [
      'FreezeBalanceV2Contract.resource is none of the names it can be',
      withValue(frozen, { resource }),
    ],
  ),
  ['TransferAssetContract.asset_name is empty', withValue(tokens, { asset_name: '' })],
  [
    'TransferAssetContract.asset_name is not bytes in hex',
    withValue(tokens, { asset_name: 'TOKEN' }),
  ],
  [
    'CreateSmartContract.new_contract is not a JSON object',
    withValue(created, { new_contract: [] }),
  ],
  [
    "CreateSmartContract.new_contract has an unknown member 'code_hash'",
    inCreated({ code_hash: '00' }),
  ],
  ['CreateSmartContract.new_contract.abi.entrys is not a list', inCreated({ abi: { entrys: {} } })],
  ['CreateSmartContract.new_contract.name is not text', inCreated({ name: 1 })],
  [
    'CreateSmartContract.new_contract.abi.entrys[0].payable is not true or false',
    inCreated({ abi: { entrys: [{ payable: 'yes' }] } }),
  ],
  [
    "CreateSmartContract.new_contract.abi.entrys[0] has an unknown member 'internalType'",
    inCreated({ abi: { entrys: [{ internalType: 'x' }] } }),
  ],
  ["transaction has an unknown member 'contract_address'", { ...trigger, contract_address: token }],
  [`raw_data_hex ${misspelled}`, withBytes(good, Buffer.concat([bytes, bytes]))],
  [`raw_data_hex ${misspelled}`, withBytes(good, bytes.subarray(0, -1))],
  [`raw_data_hex ${misspelled}`, inBytes(good, '7080d0', '18007080d0')],
  // A Permission_id of 0 spelt out.
  [`raw_data_hex ${misspelled}`, inBytes(good, packed, `5a69${packed.slice(4)}2800`)],
  [
    // The amount a second time: readers take the last.
    `the TransferContract in raw_data_hex ${misspelled}`,
    repeatedAmount(),
  ],
]

/** Lengths of contract, Any and message are two more: 103, 99 and 50. */
function repeatedAmount(): TronJson {
  const longer = packed.replace('5a67', '5a69').replace('1263', '1265').replace('1232', '1234')
  return inBytes(good, packed, `${longer}1801`)
}

const refused: readonly Fault[] = [
  ['transaction has a signature: it is to be signed here', { ...good, signature: [] }],
  ['transaction has a signature: it is to be signed here', { ...good, signature: null }],
  ...[[], [contract, contract], undefined, {}].map(
    (list): Fault => ['raw_data.contract is not a list of one contract', inRaw({ contract: list })],
  ),
  ['raw_data_hex holds 2 contracts instead of one', inBytes(good, packed, packed.repeat(2))],
  ['raw_data_hex holds 0 contracts instead of one', withBytes(good, Buffer.alloc(0))],
  [differs('raw_data.expiration'), inRaw({ expiration: head.expiration + 1 })],
  [differs('raw_data.timestamp'), inRaw({ timestamp: undefined })],
  [differs('raw_data.fee_limit'), inRaw({ fee_limit: 1 })],
  [differs('raw_data.data'), inRaw({ data: '00' })],
  [differs('raw_data.ref_block_bytes'), inRaw({ ref_block_bytes: '5a3d' })],
  [differs('contract.type'), inContract({ type: 'TransferAssetContract' })],
  [differs('contract.type'), inContract({ type: undefined })],
  [differs('contract.type_url'), inParameter({ type_url: 'TransferContract' })],
  [differs('contract.Permission_id'), inContract({ Permission_id: 2 })],
  [differs('contract.Permission_id'), inContract({ Permission_id: '0' })],
  [differs('TransferContract.amount'), withValue(good, { amount: 1 })],
  [differs('TransferContract.to_address'), withValue(good, { to_address: owner })],
  [differs('TriggerSmartContract.call_value'), withValue(trigger, { call_value: 1 })],
  [differs('TriggerSmartContract.data'), withValue(trigger, { data: '' })],
  [differs('FreezeBalanceV2Contract.resource'), withValue(frozen, { resource: 'BANDWIDTH' })],
  [differs('CreateSmartContract.new_contract'), inCreated({})],
  [
    `owner_address is ${somebodyText}, but the wallet that signs is ${ownerText}`,
    unsigned({ ...transfer, value: { ...transfer.value, owner_address: somebody } }),
  ],
  [
    'asset_name is not the number of a TRC-10 token',
    of('TransferAssetContract', { asset_name: toHex('SEED'), to_address: somebody, amount: 1 }),
  ],
  [
    'contract_address is not the address of the contract that is made',
    { ...created, contract_address: token },
  ],
  [
    'contracts of type 4 (VoteWitnessContract) are not signed here',
    of('VoteWitnessContract', { votes: [] }),
  ],
  [
    'contracts of type 5 (WitnessCreateContract) are not signed here',
    of('WitnessCreateContract', { url: '00' }),
  ],
  [
    // One type by its number, another by the name its message is packed under.
    'contracts of type 2 (TransferContract) are not signed here',
    inBytes(good, '5a67080112', '5a67080212'),
  ],
]

const permissions = of('AccountPermissionUpdateContract', {
  owner: {
    type: 0,
    permission_name: 'owner',
    threshold: 1,
    keys: [{ address: somebody, weight: 1 }],
  },
})

const dearest = unsigned(transfer, { fee_limit: 1_000_000_000 })
/** With what the network takes for a transfer of this length, and for a new account. */
const highestFee = 1_001_100_000n + 1_000n * BigInt(dearest.raw_data_hex.length / 2 + 136)

const denied: readonly Fault[] = [
  [
    'a transaction of type AccountPermissionUpdateContract hands over the account: denied unless a policy lifts TRON.AccountPermissionUpdate',
    permissions,
  ],
  [
    'a transaction of type AccountPermissionUpdateContract hands over the account: denied unless a policy lifts TRON.AccountPermissionUpdate',
    inBytes(good, '5a67080112', '5a67082e12'),
  ],
  [
    `fee of ${1n + highestFee} TRON base units is above the limit of ${highestFee}`,
    unsigned(transfer, { fee_limit: 1_000_000_001 }),
  ],
]

describe.each([
  ['transaction-malformed', malformed],
  ['transaction-refused', refused],
  ['policy-denied', denied],
] as const)('%s', (code, table) => {
  test.each(table.map(([message, json]) => [message, short(json), json] as const))(
    '%s: %s',
    (message, _, json) => {
      const refusal = refusalOf(() => prepare(json))
      expect([refusal.code, refusal.message]).toEqual([code, message])
      expect(message).toMatch(/^[ -~]{10,150}$/)
    },
  )
})

test('what TronWeb refuses is refused', async () => {
  const wrong = [
    { ...good, signature: ['00'] },
    withValue(good, { amount: 1 }),
    { ...good, txID: '00'.repeat(32) },
    unsigned({ ...transfer, value: { ...transfer.value, owner_address: somebody } }),
  ]
  for (const json of wrong) {
    await expect(signByLibrary(json)).rejects.toThrow()
    expect(refusalOf(() => prepare(json)).code).toMatch(/^transaction-/)
  }
})

test('the highest fee limit is signed', () => {
  expect(prepare(dearest).intent.fee?.amount).toBe(highestFee)
})

function short(json: unknown): string {
  const text = typeof json === 'string' ? json : JSON.stringify(json)
  return text.length > 120 ? `${text.slice(0, 120)}...` : text
}
