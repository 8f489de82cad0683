import { asRecord } from '../../base/json.ts'
import { malformed } from './refusals.ts'
import { readCurrency } from './xrp-amount.ts'
import { readAccount, readHex, readList, readUint } from './xrp-readers.ts'

/** A stop of a payment that is exchanged on its way: an account, or an order book. */
export type XrpStep = {
  readonly account?: string
  readonly currency?: string
  readonly issuer?: string
}

export type XrpSigner = {
  readonly SignerEntry: {
    readonly Account: string
    readonly SignerWeight: number
    readonly WalletLocator?: string
  }
}

/** The ledger takes no more (XRPL, "Paths" and "SignerListSet"). */
const maxPaths = 6
const maxSteps = 8
const maxSigners = 32

export function readPaths(value: unknown, where: string): readonly (readonly XrpStep[])[] {
  const paths = readList(value, where)
  if (paths.length > maxPaths) throw malformed(`${where} holds more than ${maxPaths} paths`)
  return paths.map((path, i) => {
    const steps = readList(path, `${where}[${i}]`)
    if (steps.length > maxSteps) throw malformed(`${where}[${i}] has more than ${maxSteps} steps`)
    return steps.map((step, j) => readStep(step, `${where}[${i}][${j}]`))
  })
}

/** What kind of step it is, which some programs write beside its members, follows from them. */
function readStep(value: unknown, where: string): XrpStep {
  const json = asRecord(value)
  const names = [...(json?.keys() ?? [])]
  const unknown = names.some(name => !['account', 'currency', 'issuer'].includes(name))
  if (json === undefined || names.length === 0 || unknown) {
    throw malformed(`${where} is not a step of account, or of currency and issuer`)
  }
  const currency = json.get('currency')
  return {
    ...(json.has('account') && { account: readAccount(json.get('account'), `${where}.account`) }),
    ...(json.has('currency') && {
      currency: currency === 'XRP' ? currency : readCurrency(currency, `${where}.currency`),
    }),
    ...(json.has('issuer') && { issuer: readAccount(json.get('issuer'), `${where}.issuer`) }),
  }
}

export function readSigners(value: unknown, where: string): readonly XrpSigner[] {
  const signers = readList(value, where)
  if (signers.length > maxSigners) throw malformed(`${where} hold more than ${maxSigners} signers`)
  return signers.map((signer, i) => readSigner(signer, `${where}[${i}]`))
}

function readSigner(value: unknown, where: string): XrpSigner {
  const outer = asRecord(value)
  const inner = asRecord(outer?.get('SignerEntry'))
  if (outer?.size !== 1 || inner === undefined) {
    throw malformed(`${where} is not an object with a SignerEntry alone`)
  }
  const { Account, SignerWeight, WalletLocator, ...others } = Object.fromEntries(inner)
  if (Object.keys(others).length > 0) throw malformed(`${where} has an unknown member`)
  return {
    SignerEntry: {
      Account: readAccount(Account, `${where}.Account`),
      SignerWeight: readUint(16)(SignerWeight, `${where}.SignerWeight`),
      ...(WalletLocator !== undefined && {
        WalletLocator: readHex(32)(WalletLocator, `${where}.WalletLocator`),
      }),
    },
  }
}
