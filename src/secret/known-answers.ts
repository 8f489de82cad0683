import { equalBytes } from '../base/bytes.ts'
import { KmsError } from '../base/errors.ts'
import type { SigningRequest } from '../base/model.ts'
import { sign } from './sign.ts'

/** A signature that everybody knows. */
type KnownAnswer = {
  readonly key: Uint8Array
  readonly request: SigningRequest
  readonly signature: Uint8Array
}

/**
 * Signs what everybody knows the signatures of, and throws when one is another: a processor or a
 * compiler at fault is found before it meets a key.
 */
export function proveSigning(answers: readonly KnownAnswer[] = knownAnswers): void {
  for (const { key, request, signature } of answers) {
    if (equalBytes(sign(request, key).bytes, signature)) continue
    throw new KmsError('unexpected', `a known signature of ${request.algorithm} came out wrong`)
  }
}

export const knownAnswers: readonly KnownAnswer[] = [
  // RFC 6979 with SHA-256: the key 1, "Everything should be made as simple as possible, but not
  // simpler.", as in the tests of Trezor's firmware and of bitcoinjs.
  {
    key: ofHex('00'.repeat(31), '01'),
    request: {
      key: 0,
      algorithm: 'ecdsa-secp256k1',
      message: ofHex('06ef2b193b83b3d701f765f1db34672ab84897e1252343cc2197829af3a30456'),
    },
    signature: ofHex(
      '33a69cd2065432a30f3d1ce4eb0d59b8ab58c74f27c41a7fdb5696ad4e6108c9',
      '6f807982866f785d3f6418d24163ddae117b7db4d5fdf0071de069fa54342262',
    ),
  },
  // RFC 8032, 7.1, test 2.
  {
    key: ofHex('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb'),
    request: { key: 0, algorithm: 'ed25519', message: ofHex('72') },
    signature: ofHex(
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da',
      '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    ),
  },
]

function ofHex(...parts: readonly string[]): Uint8Array {
  return Uint8Array.from(Buffer.from(parts.join(''), 'hex'))
}
