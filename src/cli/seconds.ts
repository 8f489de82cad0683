import { KmsError } from '../base/errors.ts'

/** A time given in seconds, in milliseconds. */
export function seconds(flag: string, text: string): number {
  const value = Number(text)
  if (/^\d+(\.\d+)?$/.test(text) && value > 0 && value <= 86_400) {
    return Math.max(1, Math.round(value * 1000))
  }
  throw new KmsError('usage', `${flag} is a number of seconds above 0, up to a day`)
}
