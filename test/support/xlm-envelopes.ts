import { Asset, Keypair, SorobanDataBuilder, xdr } from '@stellar/stellar-base'
import { build, issuer, key, pay, somebody } from './xlm.ts'

/** Envelopes that no builder would make. */

const good = build().toXDR()

export function edited(edit: (bytes: Buffer) => unknown): string {
  const bytes = Buffer.from(good, 'base64')
  edit(bytes)
  return bytes.toString('base64')
}

export function cut(missing: number): string {
  return Buffer.from(good, 'base64').subarray(0, -missing).toString('base64')
}

export function signedBy(by: Keypair): string {
  const tx = build()
  tx.sign(by)
  return tx.toXDR()
}

/** A good envelope after `change`, with what no builder would make. */
function changed(change: (tx: xdr.Transaction) => unknown): string {
  const envelope = build().toEnvelope()
  change(envelope.v1().tx())
  return envelope.toXDR('base64')
}

export function withConditions(conditions: xdr.Preconditions): string {
  return changed(tx => tx.cond(conditions))
}

export function withBody(body: xdr.OperationBody): string {
  return changed(tx => tx.operations([new xdr.Operation({ sourceAccount: null, body })]))
}

export function withMuxedSource(): string {
  const id = xdr.Uint64.fromString('7')
  const account = new xdr.MuxedAccountMed25519({ id, ed25519: key.rawPublicKey() })
  return changed(tx => tx.sourceAccount(xdr.MuxedAccount.keyTypeMuxedEd25519(account)))
}

export function withContractData(): string {
  const data = new SorobanDataBuilder().build()
  // The library has no name for this arm in its types.
  const Extension = xdr.TransactionExt as unknown as new (
    arm: number,
    value: unknown,
  ) => xdr.TransactionExt
  return changed(tx => tx.ext(new Extension(1, data)))
}

export function paymentOf(amount: string, asset = Asset.native().toXDRObject()): xdr.PaymentOp {
  const destination = xdr.MuxedAccount.keyTypeEd25519(
    Keypair.fromPublicKey(somebody).rawPublicKey(),
  )
  return new xdr.PaymentOp({ destination, asset, amount: xdr.Int64.fromString(amount) })
}

/** A second payment in an asset whose code stands in so many bytes. */
export function payingIn(size: 4 | 12, code: string): string {
  const assetCode = Buffer.alloc(size)
  assetCode.write(code, 'latin1')
  const by = Keypair.fromPublicKey(issuer).xdrAccountId()
  const asset =
    size === 4
      ? xdr.Asset.assetTypeCreditAlphanum4(new xdr.AlphaNum4({ assetCode, issuer: by }))
      : xdr.Asset.assetTypeCreditAlphanum12(new xdr.AlphaNum12({ assetCode, issuer: by }))
  const body = xdr.OperationBody.payment(paymentOf('1', asset))
  return changed(tx => tx.operations([pay, new xdr.Operation({ sourceAccount: null, body })]))
}
