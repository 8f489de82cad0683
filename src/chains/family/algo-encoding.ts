import { encodeMsgpack, type Msgpack, type MsgpackMap } from '../codec/msgpack.ts'
import { type AlgoTx, type AssetParams, type AssetRole, assetRoles } from './algo-tx.ts'

const none = new Uint8Array()

/** The canonical bytes of a transaction (Algorand developer docs, "Encoding"). */
export function encodeAlgo(tx: AlgoTx): Uint8Array {
  return encodeMsgpack(fieldsOf(tx))
}

export function encodeSignedAlgo(tx: AlgoTx, signature: Uint8Array): Uint8Array {
  return encodeMsgpack(mapOf({ sig: signature, txn: fieldsOf(tx) }))
}

function fieldsOf(tx: AlgoTx): MsgpackMap {
  const { sender, fee, firstRound, lastRound, genesisId, genesisHash, note } = tx
  const common = {
    snd: sender,
    fee,
    fv: firstRound,
    lv: lastRound,
    gen: genesisId,
    gh: genesisHash,
    note,
    rekey: tx.rekeyTo ?? none,
  }
  return mapOf({ ...common, ...bodyOf(tx) })
}

function bodyOf(tx: AlgoTx): Readonly<Record<string, Msgpack>> {
  switch (tx.type) {
    case 'pay':
      return { type: 'pay', rcv: tx.to, amt: tx.amount, close: tx.closeTo ?? none }
    case 'axfer':
      return {
        type: 'axfer',
        arcv: tx.to,
        aamt: tx.amount,
        xaid: tx.assetId,
        aclose: tx.closeTo ?? none,
      }
    case 'create-asset':
      return { type: 'acfg', apar: paramsOf(tx.asset) }
    case 'destroy-asset':
      return { type: 'acfg', caid: tx.assetId }
  }
}

/** How the parameters of an asset call its roles. */
export const roleNames = {
  manager: 'm',
  reserve: 'r',
  freeze: 'f',
  clawback: 'c',
} as const satisfies Record<AssetRole, string>

function paramsOf(asset: AssetParams): MsgpackMap {
  const { total, decimals, defaultFrozen, unitName, name, url, metadataHash, roles } = asset
  const accounts = assetRoles.map(role => [roleNames[role], roles[role] ?? none] as const)
  return mapOf({
    t: total,
    dc: decimals,
    df: defaultFrozen,
    un: unitName,
    an: name,
    au: url,
    am: metadataHash ?? none,
    ...Object.fromEntries(accounts),
  })
}

/** What is 0, false or empty is left out. */
function mapOf(fields: Readonly<Record<string, Msgpack>>): MsgpackMap {
  return new Map(Object.entries(fields).filter(([, value]) => !isEmpty(value)))
}

function isEmpty(value: Msgpack): boolean {
  if (value instanceof Uint8Array) return value.length === 0
  if (typeof value === 'object') return value.size === 0
  return value === 0n || value === '' || value === false
}
