import { equalBytes, hex } from '../../base/bytes.ts'
import { encodeJson } from '../../base/json.ts'
import type { Intent, Output } from '../../base/model.ts'
import { type AlgoTx, type AlgoTxOf, type AssetParams, algoAddress, assetRoles } from './algo-tx.ts'

/** Everything that is particular to a transaction stands in its intent. */
export function describeAlgo(tx: AlgoTx): Intent {
  const { kind, outputs } = tell(tx)
  const rekeyed = tx.rekeyTo && `key=${algoAddress(tx.rekeyTo)}`
  return {
    kind: rekeyed ? `${kind}+rekey` : kind,
    outputs: [...outputs, ...remarks(rekeyed)],
    from: [algoAddress(tx.sender)],
    fee: { amount: tx.fee, asset: 'ALGO' },
  }
}

function tell(tx: AlgoTx): Pick<Intent, 'kind' | 'outputs'> {
  switch (tx.type) {
    case 'pay':
      return { kind: closing('transfer', tx), outputs: [paid(tx, 'ALGO'), ...left(tx, 'ALGO')] }
    case 'axfer': {
      const asset = `ALGO:${tx.assetId}`
      const output = paid(tx, asset)
      // Nothing sent to oneself says that this asset may be received.
      const isOptIn = output.own && tx.amount === 0n
      const kind = isOptIn && tx.closeTo === undefined ? 'token-opt-in' : 'token-transfer'
      return { kind: closing(kind, tx), outputs: [output, ...left(tx, asset)] }
    }
    case 'create-asset':
      return tellCreation(tx)
    case 'destroy-asset': {
      const destroyed = { to: 'nobody', amount: 0n, asset: `ALGO:${tx.assetId}`, own: false }
      return { kind: 'token-destroy', outputs: [destroyed, ...remarks(noteOf(tx))] }
    }
  }
}

/** Where many share an address, the note says whose money it is. */
function paid({ to, amount, sender, note }: AlgoTxOf<'pay' | 'axfer'>, asset: string): Output {
  const address = algoAddress(to)
  const own = equalBytes(to, sender)
  return { to: note.length === 0 ? address : `${address}?note=${hex(note)}`, amount, asset, own }
}

function closing(kind: string, { closeTo }: AlgoTxOf<'pay' | 'axfer'>): string {
  return closeTo === undefined ? kind : `${kind}+close`
}

/** There are ten billion ALGO; the amount of an asset has 64 bits. */
const mostCoins = 10n ** 16n
const mostOfAsset = 2n ** 64n - 1n

/** How much is left the network alone knows: said is the most that there can be. */
function left(
  { type, closeTo, sender }: AlgoTxOf<'pay' | 'axfer'>,
  asset: string,
): readonly Output[] {
  if (closeTo === undefined) return []
  const amount = type === 'pay' ? mostCoins : mostOfAsset
  const own = equalBytes(closeTo, sender)
  return [{ to: algoAddress(closeTo), amount, asset, own }, ...remarks('all that is left')]
}

function tellCreation(tx: AlgoTxOf<'create-asset'>): Pick<Intent, 'kind' | 'outputs'> {
  const to = algoAddress(tx.sender)
  const made = { to, amount: tx.asset.total, asset: 'ALGO:new asset', own: true }
  return {
    kind: 'token-create',
    outputs: [made, ...remarks(...parametersOf(tx.asset), noteOf(tx))],
  }
}

function parametersOf(asset: AssetParams): readonly (string | undefined)[] {
  const { decimals, defaultFrozen, unitName, name, url, metadataHash, roles } = asset
  return [
    `decimals=${decimals}`,
    ...(defaultFrozen ? ['frozen'] : []),
    // Quoted: whoever named it may have put anything there.
    `unit=${encodeJson(unitName)}`,
    `name=${encodeJson(name)}`,
    `url=${encodeJson(url)}`,
    metadataHash && `metadata=${hex(metadataHash)}`,
    ...assetRoles.map(role => roles[role] && `${role}=${algoAddress(roles[role])}`),
  ]
}

function noteOf({ note }: AlgoTx): string | undefined {
  return note.length === 0 ? undefined : `note=${hex(note)}`
}

/** What pays nobody, as one output whose recipient is a description. */
function remarks(...texts: readonly (string | undefined)[]): readonly Output[] {
  const to = texts.filter(text => text !== undefined).join(' ')
  return to === '' ? [] : [{ to, amount: 0n, asset: 'ALGO', own: false }]
}
