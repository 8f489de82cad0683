import { equalBytes, hex } from '../../base/bytes.ts'
import { encodeJson } from '../../base/json.ts'
import type { Intent, Output } from '../../base/model.ts'
import { type AlgoTx, type AlgoTxOf, type AssetParams, algoAddress, assetRoles } from './algo-tx.ts'

/** Everything that is particular to a transaction stands in its intent. */
export function describeAlgo(tx: AlgoTx): Intent {
  return {
    ...tell(tx),
    from: [algoAddress(tx.sender)],
    fee: { amount: tx.fee, asset: 'ALGO' },
  }
}

function tell(tx: AlgoTx): Pick<Intent, 'kind' | 'outputs'> {
  switch (tx.type) {
    case 'pay':
      return { kind: 'transfer', outputs: [paid(tx, 'ALGO')] }
    case 'axfer': {
      const output = paid(tx, `ALGO:${tx.assetId}`)
      // Nothing sent to oneself says that this asset may be received.
      const isOptIn = output.own && tx.amount === 0n
      return { kind: isOptIn ? 'token-opt-in' : 'token-transfer', outputs: [output] }
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
