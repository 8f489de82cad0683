import { equalBytes, utf8 } from '../../base/bytes.ts'
import { asArray, asRecord } from '../../base/json.ts'
import type { Network } from '../../base/model.ts'
import { parseStrictJson } from '../../base/strict-json.ts'
import type { Own } from '../chain.ts'
import { type Members, readAccount, readBytes, readText, readWhole } from './algo-members.ts'
import { type AlgoTx, type AssetParams, type AssetRole, assetRoles, genesis } from './algo-tx.ts'
import { denyUnlessLifted, malformed, refused } from './refusals.ts'

const roleMembers = {
  manager: 'assetManager',
  reserve: 'assetReserve',
  freeze: 'assetFreeze',
  clawback: 'assetClawback',
} as const satisfies Record<AssetRole, string>

/** What an asset can be made of, and nothing destroys one with. */
const paramMembers = [
  'assetTotal',
  'assetDecimals',
  'assetDefaultFrozen',
  'assetUnitName',
  'assetName',
  'assetURL',
  'assetMetadataHash',
  ...Object.values(roleMembers),
]

const commonMembers = [
  'name',
  'tag',
  'type',
  'from',
  'note',
  'fee',
  'flatFee',
  'firstRound',
  'lastRound',
  'genesisID',
  'genesisHash',
  'appArgs',
  'lease',
  'reKeyTo',
]

const membersOf: ReadonlyMap<unknown, readonly string[]> = new Map([
  ['pay', ['to', 'amount', 'closeRemainderTo']],
  ['axfer', ['to', 'amount', 'assetIndex', 'closeRemainderTo']],
  ['acfg', ['assetIndex', ...paramMembers]],
])

/** They give the account away, or all that is in it (DESIGN 6). */
const deniedMembers = {
  closeRemainderTo: {
    denial: 'ALGO.close',
    reason: 'closeRemainderTo empties and closes the account',
  },
  reKeyTo: { denial: 'ALGO.rekey', reason: 'reKeyTo hands the account over to another key' },
} as const

/** The original leaves them out and signs another transaction than it was asked for. */
const refusedMembers = new Map([
  ['assetRevocationTarget', 'assetRevocationTarget takes back what somebody else holds'],
  ['group', 'group ties the transaction to others, which are not known here'],
])

/** What is signed begins with it. */
const txTag = utf8('TX')
/** Those of the network: the most that fits into a transaction. */
const maxNoteBytes = 1_024
const maxRounds = 1_000n
const maxDecimals = 19n

/** Reads the JSON of algosdk's Transaction, whose `fee` is final whatever `flatFee` says. */
export function decodeAlgoJson(
  serialized: string,
  own: Uint8Array,
  { network, settings }: Pick<Own, 'network' | 'settings'>,
): AlgoTx {
  const json = asRecord(parseStrictJson(serialized))
  if (json === undefined) throw malformed('transaction is not a JSON object')
  refuseMembers(json, settings)
  checkConstants(json)
  const sender = readAccount(json, 'from')
  if (!equalBytes(sender, own)) {
    throw refused('from is not the address of the wallet that is to sign')
  }
  return {
    ...readBody(json),
    sender,
    fee: readWhole(json, 'fee'),
    ...readRounds(json),
    ...readGenesis(json, network),
    note: readBytes(json, 'note', maxNoteBytes),
    ...(json.has('reKeyTo') && { rekeyTo: readAccount(json, 'reKeyTo') }),
  }
}

function refuseMembers(json: Members, settings: Own['settings']): void {
  for (const [name, { denial, reason }] of Object.entries(deniedMembers)) {
    if (json.has(name)) denyUnlessLifted(settings, denial, reason)
  }
  for (const [name, reason] of refusedMembers) if (json.has(name)) throw refused(reason)
  const type = json.get('type')
  const members = membersOf.get(type)
  if (members === undefined) {
    if (typeof type !== 'string') throw malformed('type is not text')
    throw refused(
      `transactions of type${/^\w{1,10}$/.test(type) ? ` ${type}` : ''} are not signed here`,
    )
  }
  for (const name of json.keys()) {
    if (commonMembers.includes(name) || members.includes(name)) continue
    const quoted = /^\w{1,32}$/.test(name) ? ` '${name}'` : ''
    throw malformed(`transaction of type ${type} has an unknown member${quoted}`)
  }
}

/** Members that are the same in every transaction that is signed here. */
function checkConstants(json: Members): void {
  const name = json.get('name') ?? 'Transaction'
  const tag = json.has('tag') ? readBytes(json, 'tag', 2) : txTag
  if (name !== 'Transaction' || !equalBytes(tag, txTag)) {
    throw malformed('name or tag is not of a transaction')
  }
  if (typeof (json.get('flatFee') ?? true) !== 'boolean') {
    throw malformed('flatFee is neither true nor false')
  }
  if (asArray(json.get('appArgs') ?? [])?.length !== 0) {
    throw refused('appArgs is not empty: no application is called here')
  }
  if (readBytes(json, 'lease', 32).length > 0) {
    throw refused('lease is given: it is not signed here')
  }
}

function readBody(json: Members) {
  switch (json.get('type')) {
    case 'pay':
      return {
        type: 'pay',
        to: readAccount(json, 'to'),
        amount: readWhole(json, 'amount'),
        ...readClose(json),
      } as const
    case 'axfer': {
      const [to, amount] = [readAccount(json, 'to'), readWhole(json, 'amount')]
      return { type: 'axfer', to, amount, assetId: readAssetId(json), ...readClose(json) } as const
    }
    default:
      return readAssetChange(json)
  }
}

/** Whom all that is left goes to. */
function readClose(json: Members) {
  return json.has('closeRemainderTo') && { closeTo: readAccount(json, 'closeRemainderTo') }
}

function readAssetId(json: Members): bigint {
  const id = readWhole(json, 'assetIndex')
  if (id === 0n) throw malformed('assetIndex is 0, which is no asset')
  return id
}

/** Without an index an asset is made; with nothing but one it is destroyed. */
function readAssetChange(json: Members) {
  if (!json.has('assetIndex') || json.get('assetIndex') === 0) {
    return { type: 'create-asset', asset: readParams(json) } as const
  }
  if (paramMembers.some(name => json.has(name))) {
    throw refused('the transaction changes an asset: only making and destroying one is signed here')
  }
  return { type: 'destroy-asset', assetId: readAssetId(json) } as const
}

function readParams(json: Members): AssetParams {
  const decimals = json.has('assetDecimals') ? readWhole(json, 'assetDecimals') : 0n
  const defaultFrozen = json.get('assetDefaultFrozen') ?? false
  const metadataHash = readBytes(json, 'assetMetadataHash', 32)
  if (decimals > maxDecimals) throw malformed(`assetDecimals is above ${maxDecimals}`)
  if (typeof defaultFrozen !== 'boolean') {
    throw malformed('assetDefaultFrozen is neither true nor false')
  }
  if (metadataHash.length !== 0 && metadataHash.length !== 32) {
    throw malformed('assetMetadataHash is not 32 bytes')
  }
  const named = assetRoles.filter(role => json.has(roleMembers[role]))
  return {
    total: readWhole(json, 'assetTotal'),
    decimals,
    defaultFrozen,
    unitName: readText(json, 'assetUnitName', 8),
    name: readText(json, 'assetName', 32),
    url: readText(json, 'assetURL', 96),
    // Of 32 zeros nothing is written: it is the hash that is not given.
    ...(metadataHash.some(byte => byte !== 0) && { metadataHash }),
    roles: Object.fromEntries(named.map(role => [role, readAccount(json, roleMembers[role])])),
  }
}

function readRounds(json: Members): Pick<AlgoTx, 'firstRound' | 'lastRound'> {
  const firstRound = readWhole(json, 'firstRound')
  const lastRound = readWhole(json, 'lastRound')
  if (lastRound < firstRound || lastRound === 0n) throw malformed('lastRound is before firstRound')
  if (lastRound - firstRound > maxRounds) {
    throw refused(`lastRound is more than ${maxRounds} rounds after firstRound`)
  }
  return { firstRound, lastRound }
}

function readGenesis(json: Members, network: Network): Pick<AlgoTx, 'genesisId' | 'genesisHash'> {
  const { id, hash } = genesis[network]
  if (json.get('genesisID') !== id || !equalBytes(readBytes(json, 'genesisHash', 32), hash)) {
    throw refused(`genesisID and genesisHash are not those of ${network}, where this wallet is`)
  }
  return { genesisId: id, genesisHash: hash }
}
