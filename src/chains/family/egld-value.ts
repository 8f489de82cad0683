import { malformed, refused } from './refusals.ts'

const decimals = 18
/** A billion EGLD, more than there will ever be. */
const maxValue = 10n ** 27n
/** A double holds any decimal of so many digits, and its shortest text gives that decimal back. */
const maxNumberDigits = 15

/**
 * An amount of EGLD, as text or as a JSON number, in units of 10^-18. Exact: nothing is rounded. An
 * absent value is 0 (the original makes "NaN" of it).
 */
export function readValue(value: unknown): bigint {
  if (value === undefined) return 0n
  if (typeof value !== 'string' && typeof value !== 'number') throw notDecimal()
  const text = `${value}`
  if (/^-\d/.test(text)) throw refused('value is negative')
  const [, whole, fraction = '', exponent = '0'] =
    /^(\d{1,40})(?:\.(\d{1,40}))?(?:e([+-]?\d{1,3}))?$/i.exec(text) ?? []
  if (whole === undefined) throw notDecimal()
  const digits = whole + fraction
  if (typeof value === 'number' && significant(digits) > maxNumberDigits) {
    throw refused(`value is a JSON number of more than ${maxNumberDigits} digits: send it as text`)
  }
  const amount = scale(BigInt(digits), decimals - fraction.length + Number(exponent))
  if (amount > maxValue) throw refused('value is more EGLD than there is')
  return amount
}

function significant(digits: string): number {
  return digits.replace(/^0+|0+$/g, '').length
}

function scale(digits: bigint, power: number): bigint {
  if (power >= 0) return digits * 10n ** BigInt(power)
  const divisor = 10n ** BigInt(-power)
  if (digits % divisor !== 0n) throw refused(`value has more than ${decimals} decimals`)
  return digits / divisor
}

function notDecimal(): Error {
  return malformed('value is not an amount of EGLD: a decimal number such as 0.5')
}
