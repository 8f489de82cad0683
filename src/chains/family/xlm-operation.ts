import type { xdr } from '@stellar/stellar-base'
import { denied, malformed, refused } from './refusals.ts'
import { accountText } from './xlm-library.ts'

export type XlmOperation = {
  readonly kind: 'transfer' | 'token-transfer' | 'create-account' | 'trust'
  /** Who is paid, or whose asset is trusted. */
  readonly to: string
  /** Of a destination in the form `M…` (SEP-23): whose money it is where many share an account. */
  readonly toId?: bigint
  /** In 10^-7; the limit of a trust line. */
  readonly amount: bigint
  readonly asset: string
}

/** They give the account away, or the power over it (DESIGN 6). */
const deniedTypes = ['setOptions', 'accountMerge', 'allowTrust', 'manageData']

/** Operation `i` of a transaction of `source`. */
export function readOperation(operation: xdr.Operation, i: number, source: string): XlmOperation {
  const where = `operation ${i}`
  const by = operation.sourceAccount()
  if (by != null && readMuxed(by).to !== source) throw refused(`${where} is of another account`)
  if (by != null && readMuxed(by).toId !== undefined) throw refused(`${where} has a muxed source`)
  const body = operation.body()
  const type = body.switch().name
  switch (type) {
    case 'payment':
      return readPayment(body.paymentOp(), where)
    case 'createAccount':
      return readCreateAccount(body.createAccountOp(), where)
    case 'changeTrust':
      return readChangeTrust(body.changeTrustOp(), where)
    default:
      if (deniedTypes.includes(type)) {
        throw denied(`${where} is ${type}, which changes whose the account is or what it allows`)
      }
      throw refused(`${where} is ${type}, which is not signed here`)
  }
}

/** An account, and the id in it that its owner tells customers apart by. */
export function readMuxed(account: xdr.MuxedAccount): Pick<XlmOperation, 'to' | 'toId'> {
  if (account.switch().name === 'keyTypeEd25519') return { to: accountText(account.ed25519()) }
  const muxed = account.med25519()
  return { to: accountText(muxed.ed25519()), toId: BigInt(muxed.id().toString()) }
}

function readPayment(payment: xdr.PaymentOp, where: string): XlmOperation {
  const asset = readAsset(payment.asset(), where)
  return {
    kind: asset === 'XLM' ? 'transfer' : 'token-transfer',
    ...readMuxed(payment.destination()),
    amount: readAmount(payment.amount(), where),
    asset,
  }
}

function readCreateAccount(creation: xdr.CreateAccountOp, where: string): XlmOperation {
  return {
    kind: 'create-account',
    to: accountText(creation.destination().ed25519()),
    amount: readAmount(creation.startingBalance(), where),
    asset: 'XLM',
  }
}

function readChangeTrust(trust: xdr.ChangeTrustOp, where: string): XlmOperation {
  const line = trust.line()
  const credit = creditOf(line)
  if (credit === undefined) throw refused(`${where} trusts something that is no asset of an issuer`)
  return {
    kind: 'trust',
    to: accountText(credit.issuer().ed25519()),
    amount: readAmount(trust.limit(), where),
    asset: creditText(credit, where),
  }
}

function readAsset(asset: xdr.Asset, where: string): string {
  const credit = creditOf(asset)
  return credit === undefined ? 'XLM' : creditText(credit, where)
}

type Credit = xdr.AlphaNum4 | xdr.AlphaNum12

function creditOf(asset: xdr.Asset | xdr.ChangeTrustAsset): Credit | undefined {
  switch (asset.switch().name) {
    case 'assetTypeCreditAlphanum4':
      return asset.alphaNum4()
    case 'assetTypeCreditAlphanum12':
      return asset.alphaNum12()
    default:
      return undefined
  }
}

/** Letters and digits, zeros behind them; in the long form at least five (CAP-5's isAssetValid). */
function creditText(credit: Credit, where: string): string {
  const bytes = credit.assetCode()
  const code = bytes.toString('latin1').replace(/\0+$/, '')
  const isInRightForm = bytes.length === 4 || code.length > 4
  if (!isInRightForm || !/^[A-Za-z0-9]{1,12}$/.test(code)) {
    throw malformed(`${where} has an asset code that is none`)
  }
  return `XLM:${code}.${accountText(credit.issuer().ed25519())}`
}

function readAmount(value: xdr.Int64, where: string): bigint {
  const amount = BigInt(value.toString())
  if (amount < 0n) throw malformed(`${where} has a negative amount`)
  return amount
}
