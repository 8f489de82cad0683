import type { xdr } from '@stellar/stellar-base'
import type { Own } from '../chain.ts'
import { denyUnlessLifted, malformed, refused } from './refusals.ts'
import { accountText } from './xlm-library.ts'
import { spellData, spellOptions } from './xlm-rights.ts'

export type XlmOperation = {
  readonly kind:
    | 'transfer'
    | 'token-transfer'
    | 'create-account'
    | 'trust'
    | 'set-options'
    | 'account-merge'
    | 'allow-trust'
    | 'allow-trust-to-keep'
    | 'disallow-trust'
    | 'manage-data'
  /** Who is paid, or whose asset is trusted; a description where there is nobody. */
  readonly to: string
  /** Of a destination in the form `M…` (SEP-23): whose money it is where many share an account. */
  readonly toId?: bigint
  /** In 10^-7; the limit of a trust line. */
  readonly amount: bigint
  readonly asset: string
}

/** They give the account away, or the power over it (DESIGN 6). */
const deniedTypes = ['setOptions', 'accountMerge', 'allowTrust', 'manageData'] as const

/** Operation `i` of a transaction of `source`. */
export function readOperation(
  operation: xdr.Operation,
  i: number,
  { source, settings }: { readonly source: string; readonly settings: Own['settings'] },
): XlmOperation {
  const where = `operation ${i}`
  const by = operation.sourceAccount()
  if (by != null && readMuxed(by).to !== source) throw refused(`${where} is of another account`)
  if (by != null && readMuxed(by).toId !== undefined) throw refused(`${where} has a muxed source`)
  const body = operation.body()
  const type = body.switch().name
  const denied = deniedTypes.find(name => name === type)
  if (denied !== undefined) {
    const reason = `${where} is ${type}, which changes whose the account is or what it allows`
    denyUnlessLifted(settings, `XLM.${denied}`, reason)
  }
  switch (type) {
    case 'payment':
      return readPayment(body.paymentOp(), where)
    case 'createAccount':
      return readCreateAccount(body.createAccountOp(), where)
    case 'changeTrust':
      return readChangeTrust(body.changeTrustOp(), where)
    case 'setOptions':
      return note('set-options', spellOptions(body.setOptionsOp()))
    case 'manageData':
      return note('manage-data', spellData(body.manageDataOp()))
    case 'accountMerge':
      // How much is left the network alone knows: said is the most that there can be.
      return {
        kind: 'account-merge',
        ...readMuxed(body.destination()),
        amount: maxAmount,
        asset: 'XLM',
      }
    case 'allowTrust':
      return readAllowance(body.allowTrustOp(), source, where)
    default:
      throw refused(`${where} is ${type}, which is not signed here`)
  }
}

/** An int64's. */
const maxAmount = 2n ** 63n - 1n

function note(kind: XlmOperation['kind'], to: string): XlmOperation {
  return { kind, to, amount: 0n, asset: 'XLM' }
}

/** AUTHORIZED_FLAG is 1, AUTHORIZED_TO_MAINTAIN_LIABILITIES_FLAG 2. */
const allowances = ['disallow-trust', 'allow-trust', 'allow-trust-to-keep'] as const

function readAllowance(allowance: xdr.AllowTrustOp, issuer: string, where: string): XlmOperation {
  const kind = allowances[allowance.authorize()]
  if (kind === undefined) throw malformed(`${where} allows something that there is not`)
  const code = codeText(allowance.asset().value(), where)
  return {
    kind,
    to: accountText(allowance.trustor().ed25519()),
    amount: 0n,
    asset: `XLM:${code}.${issuer}`,
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

function creditText(credit: Credit, where: string): string {
  const code = codeText(credit.assetCode(), where)
  return `XLM:${code}.${accountText(credit.issuer().ed25519())}`
}

/** Letters and digits, zeros behind them; in the long form at least five (CAP-5's isAssetValid). */
function codeText(bytes: Buffer, where: string): string {
  const code = bytes.toString('latin1').replace(/\0+$/, '')
  const isInRightForm = bytes.length === 4 || code.length > 4
  if (!isInRightForm || !/^[A-Za-z0-9]{1,12}$/.test(code)) {
    throw malformed(`${where} has an asset code that is none`)
  }
  return code
}

function readAmount(value: xdr.Int64, where: string): bigint {
  const amount = BigInt(value.toString())
  if (amount < 0n) throw malformed(`${where} has a negative amount`)
  return amount
}
