import { KmsError } from '../../base/errors.ts'
import { decodeMsgpack, type Msgpack } from '../codec/msgpack.ts'
import { roleNames } from './algo-encoding.ts'
import { type AlgoTx, type AssetParams, assetRoles } from './algo-tx.ts'

/** Reads a transaction with one signature back. */
export function decodeSignedAlgo(bytes: Uint8Array): AlgoTx {
  const signed = createFields(decodeMsgpack(bytes))
  const signature = signed.bytes('sig')
  const txn = createFields(signed.take('txn'))
  const tx = { ...readBody(txn), ...readCommon(txn) }
  if (signature?.length !== 64 || signed.count() > 0 || txn.count() > 0) throw broken()
  return tx
}

function readCommon(txn: Fields) {
  return {
    sender: txn.account('snd'),
    fee: txn.number('fee'),
    firstRound: txn.number('fv'),
    lastRound: txn.number('lv'),
    genesisId: txn.text('gen'),
    genesisHash: txn.account('gh'),
    note: txn.bytes('note') ?? new Uint8Array(),
    ...(txn.has('rekey') && { rekeyTo: txn.account('rekey') }),
  }
}

function readBody(txn: Fields) {
  switch (txn.text('type')) {
    case 'pay':
      return {
        type: 'pay',
        to: txn.account('rcv'),
        amount: txn.number('amt'),
        ...(txn.has('close') && { closeTo: txn.account('close') }),
      } as const
    case 'axfer': {
      const moved = {
        to: txn.account('arcv'),
        amount: txn.number('aamt'),
        ...(txn.has('aclose') && { closeTo: txn.account('aclose') }),
      }
      return { type: 'axfer', ...moved, assetId: txn.number('xaid') } as const
    }
    case 'acfg': {
      const assetId = txn.number('caid')
      if (assetId > 0n) return { type: 'destroy-asset', assetId } as const
      return { type: 'create-asset', asset: readParams(txn.take('apar') ?? new Map()) } as const
    }
    default:
      throw broken()
  }
}

function readParams(value: Msgpack): AssetParams {
  const params = createFields(value)
  const hasHash = params.has('am')
  const named = assetRoles.filter(role => params.has(roleNames[role]))
  const asset = {
    total: params.number('t'),
    decimals: params.number('dc'),
    defaultFrozen: params.flag('df'),
    unitName: params.text('un'),
    name: params.text('an'),
    url: params.text('au'),
    ...(hasHash && { metadataHash: params.account('am') }),
    roles: Object.fromEntries(named.map(role => [role, params.account(roleNames[role])])),
  }
  if (params.count() > 0) throw broken()
  return asset
}

type Fields = ReturnType<typeof createFields>

/** Takes the members of a map one by one, so that in the end what is left was not understood. */
function createFields(map: Msgpack | undefined) {
  if (!(map instanceof Map)) throw broken()
  const left = new Map<string, Msgpack>(map)
  const take = (name: string): Msgpack | undefined => {
    const value = left.get(name)
    left.delete(name)
    return value
  }
  const bytes = (name: string): Uint8Array | undefined => {
    const value = take(name)
    if (value === undefined || value instanceof Uint8Array) return value
    throw broken()
  }
  return {
    has: (name: string) => left.has(name),
    count: () => left.size,
    take,
    bytes,
    number(name: string): bigint {
      const value = take(name) ?? 0n
      if (typeof value !== 'bigint') throw broken()
      return value
    },
    text(name: string): string {
      const value = take(name) ?? ''
      if (typeof value !== 'string') throw broken()
      return value
    },
    flag(name: string): boolean {
      const value = take(name) ?? false
      if (typeof value !== 'boolean') throw broken()
      return value
    },
    /** 32 bytes: a public key, or a hash. */
    account(name: string): Uint8Array {
      const value = bytes(name)
      if (value?.length !== 32) throw broken()
      return value
    },
  }
}

function broken(): KmsError {
  return new KmsError('unexpected', 'the signed bytes are not a valid transaction')
}
