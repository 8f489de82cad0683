import { asRecord, asString } from '../../base/json.ts'
import { malformed } from './refusals.ts'
import { isAccount } from './xrp-address.ts'

/** Money somebody issued on the ledger; `value` in plain decimals without needless zeros. */
export type IssuedAmount = {
  readonly currency: string
  readonly issuer: string
  readonly value: string
}

/** Drops of XRP in decimal, or issued money. */
export type XrpAmount = string | IssuedAmount

/** There are 100 billion XRP of a million drops each. */
export const maxDrops = 10n ** 17n

/**
 * Issued money has up to 16 digits times 10^-96 to 10^80 (XRPL, "Token Precision"), so that these
 * units make every amount of it an integer.
 */
const unitExponent = -96
const maxExponent = 80
const maxDigits = 16

export function readAmount(value: unknown, where: string): XrpAmount {
  return typeof value === 'string' ? readDrops(value, where) : readIssued(value, where)
}

export function readDrops(value: unknown, where: string): string {
  const text = asString(value) ?? ''
  if (!/^(0|[1-9]\d{0,17})$/.test(text) || BigInt(text) > maxDrops) {
    throw malformed(`${where} is not whole drops of XRP in text, at most ${maxDrops}`)
  }
  return text
}

export function readIssued(value: unknown, where: string): IssuedAmount {
  const json = asRecord(value)
  if (json === undefined) throw malformed(`${where} is neither drops of XRP nor an issued amount`)
  for (const name of json.keys()) {
    if (!['currency', 'issuer', 'value'].includes(name)) {
      throw malformed(`${where} has a member other than currency, issuer and value`)
    }
  }
  const issuer = asString(json.get('issuer')) ?? ''
  if (!isAccount(issuer)) throw malformed(`${where}.issuer is not an address`)
  return {
    currency: readCurrency(json.get('currency'), `${where}.currency`),
    issuer,
    value: readValue(json.get('value'), `${where}.value`),
  }
}

/** What an intent says of an amount. */
export function priceOf(amount: XrpAmount): { readonly amount: bigint; readonly asset: string } {
  if (typeof amount === 'string') return { amount: BigInt(amount), asset: 'XRP' }
  const { currency, issuer, value } = amount
  return { amount: unitsOf(value), asset: `XRP:${currency}.${issuer}` }
}

/** In units of 10^-96. */
function unitsOf(value: string): bigint {
  const [whole = '', fraction = ''] = value.split('.')
  return BigInt(whole + fraction) * 10n ** BigInt(-unitExponent - fraction.length)
}

/**
 * Three characters, or 40 hex digits (XRPL, "Currency Codes"). Digits that only spell three
 * characters are read as those: in the binary form there is one way to write them.
 */
export function readCurrency(value: unknown, where: string): string {
  const text = asString(value) ?? ''
  const code = /^[0-9A-Fa-f]{40}$/.test(text) ? spelledCode(text.toUpperCase()) : text
  // XRP itself has no issuer; the digits of 20 zero bytes are another name of it.
  if (code === 'XRP' || /^0*(585250)?0{10}$/.test(code)) throw malformed(`${where} is XRP`)
  if (isCode(code) || /^[0-9A-F]{40}$/.test(code)) return code
  throw malformed(`${where} is neither a code of three characters nor 40 hex digits`)
}

function spelledCode(digits: string): string {
  const [, letters] = /^0{24}([0-9A-F]{6})0{10}$/.exec(digits) ?? []
  if (letters === undefined) return digits
  const code = Buffer.from(letters, 'hex').toString('latin1')
  return isCode(code) && code !== 'XRP' ? code : digits
}

function isCode(text: string): boolean {
  return /^[A-Za-z0-9?!@#$%^&*<>(){}[\]|]{3}$/.test(text)
}

function readValue(value: unknown, where: string): string {
  const text = asString(value) ?? ''
  const [, whole = '', fraction = '', shift = '0'] =
    (text.length <= 200 && /^(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/.exec(text)) || []
  if (whole === '') throw malformed(`${where} is not a decimal number in text, 0 or more`)
  const significant = (whole + fraction).replace(/^0+/, '')
  const digits = significant.replace(/0+$/, '')
  const exponent = Number(shift) - fraction.length + significant.length - digits.length
  if (digits === '') return '0'
  if (digits.length > maxDigits) throw malformed(`${where} has more than ${maxDigits} digits`)
  const normalized = exponent - (maxDigits - digits.length)
  if (normalized < unitExponent || normalized > maxExponent) {
    throw malformed(`${where} is smaller or larger than an amount can be`)
  }
  return plainDecimals(digits, exponent)
}

function plainDecimals(digits: string, exponent: number): string {
  if (exponent >= 0) return digits + '0'.repeat(exponent)
  const padded = digits.padStart(1 - exponent, '0')
  return `${padded.slice(0, exponent)}.${padded.slice(exponent)}`
}
