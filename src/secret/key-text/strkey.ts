import { decodeBase32, encodeBase32 } from '../../base/base32.ts'
import { KmsError } from '../../base/errors.ts'
import { allocateSecret, filledSecret, type Secret } from '../secret.ts'

/** SEP-23: the version byte of a secret seed, which makes the text begin with S. */
const secretSeed = 18 << 3
const byteCount = 35
const letterCount = 56

/** Stellar's secret seed (SEP-23): version, key, CRC-16 of both, in base32. */
export function parseStrkey(text: Secret): Secret {
  using decoded = allocateSecret(byteCount)
  return decoded.use(bytes => {
    const length = text.use(letters =>
      letters.length === letterCount ? decodeBase32(letters, bytes) : undefined,
    )
    const sum = crc16(bytes.subarray(0, 33))
    const isIntact = bytes[33] === (sum & 255) && bytes[34] === sum >> 8
    if (length !== byteCount || bytes[0] !== secretSeed || !isIntact) {
      throw new KmsError('usage', 'the private key is not a secret seed of Stellar (S…)')
    }
    return filledSecret(32, key => key.set(bytes.subarray(1, 33)))
  })
}

export function formatStrkey(key: Secret): Secret {
  using payload = allocateSecret(byteCount)
  return payload.use(bytes => {
    bytes[0] = secretSeed
    key.use(from => bytes.set(from, 1))
    const sum = crc16(bytes.subarray(0, 33))
    bytes[33] = sum & 255
    bytes[34] = sum >> 8
    return filledSecret(letterCount, text => encodeBase32(bytes, text))
  })
}

/** CRC-16/XMODEM: polynomial 0x1021, begins with 0. */
function crc16(bytes: Uint8Array): number {
  let sum = 0
  for (const byte of bytes) {
    sum ^= byte << 8
    for (let bit = 0; bit < 8; bit++) {
      sum = ((sum << 1) ^ ((sum & 0x8000) === 0 ? 0 : 0x1021)) & 0xffff
    }
  }
  return sum
}
