import { KmsError } from '../../base/errors.ts'
import { allocateSecret, filledSecret, type Secret } from '../secret.ts'

const lowerCase = new TextEncoder().encode('0123456789abcdef')
const upperCase = new TextEncoder().encode('0123456789ABCDEF')
const zero = 0x30
const x = 0x78

/** One private key in 2^32 has fewer digits: a shorter text is one that was cut off. */
const fewestDigits = 56

/**
 * 32 bytes out of 64 hex digits, with or without 0x.
 *
 * @param shortAllowed takes missing digits for leading zeros
 */
export function parseHex(text: Secret, shortAllowed = false): Secret {
  return text.use(letters => {
    const digits = letters.subarray(letters[0] === zero && letters[1] === x ? 2 : 0)
    const isLong = shortAllowed ? digits.length >= fewestDigits : digits.length === 64
    if (!isLong || digits.length > 64) {
      throw new KmsError('usage', 'the private key must be 64 hex digits, with or without 0x')
    }
    return filledSecret(32, key => readDigits(digits, key))
  })
}

/** 64 bytes out of 128 hex digits. */
export function parseExtendedHex(text: Secret): Secret {
  return text.use(digits => {
    if (digits.length !== 128) {
      throw new KmsError('usage', 'the private key must be 128 hex digits, an extended key')
    }
    return filledSecret(64, key => readDigits(digits, key))
  })
}

export function formatHex(
  key: Secret,
  { prefix, isUpperCase }: { readonly prefix: '0x' | ''; readonly isUpperCase?: true },
): Secret {
  const text = allocateSecret(prefix.length + 2 * key.length)
  const letters = isUpperCase ? upperCase : lowerCase
  text.use(out =>
    key.use(bytes => {
      if (prefix === '0x') out.set([zero, x])
      bytes.forEach((byte, i) => {
        out[prefix.length + 2 * i] = letters[byte >> 4] ?? 0
        out[prefix.length + 2 * i + 1] = letters[byte & 15] ?? 0
      })
    }),
  )
  return text
}

/** Writes the number that `digits` are to the end of `out`, which holds zeros. */
export function readDigits(digits: Uint8Array, out: Uint8Array): void {
  for (let i = 0; i < digits.length; i++) {
    const digit = digitOf(digits[digits.length - 1 - i])
    const at = out.length - 1 - (i >> 1)
    out[at] = (out[at] ?? 0) | (digit << (4 * (i & 1)))
  }
}

function digitOf(letter = 0): number {
  const lower = letter >= 0x41 && letter <= 0x46 ? letter + 0x20 : letter
  const digit = lowerCase.indexOf(lower)
  if (digit === -1) throw new KmsError('usage', 'the private key has a letter that is not hex')
  return digit
}
