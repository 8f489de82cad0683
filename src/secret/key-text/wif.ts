import { base58Checksum, decodeBase58, encodeBase58, endsInChecksum } from '../../base/base58.ts'
import { KmsError } from '../../base/errors.ts'
import type { Network } from '../../base/model.ts'
import { allocateSecret, filledSecret, type Secret } from '../secret.ts'

type Versions = Readonly<Record<Network, number>>

/** Wallet import format: version, key, 01 when compressed, checksum, in base58. */
export function parseWif(
  text: Secret,
  versions: Versions,
  network: Network,
): { readonly key: Secret; readonly compressed: boolean } {
  using decoded = allocateSecret(38)
  return decoded.use(bytes => {
    const length = text.use(from => (from.length > 60 ? undefined : decodeBase58(from, bytes)))
    const compressed = length === 38 && bytes[33] === 1
    const isShaped = length === 37 || compressed
    if (!isShaped || !endsInChecksum(bytes.subarray(0, length))) {
      throw new KmsError('usage', 'the private key is not in wallet import format (WIF)')
    }
    if (bytes[0] !== versions[network]) {
      throw new KmsError('usage', `the private key is not a ${network} key of this chain`)
    }
    return { key: filledSecret(32, key => key.set(bytes.subarray(1, 33))), compressed }
  })
}

/** Compressed. */
export function formatWif(key: Secret, version: number): Secret {
  using payload = allocateSecret(38)
  const text = allocateSecret(60)
  const length = payload.use(bytes => {
    bytes[0] = version
    key.use(from => bytes.set(from, 1))
    bytes[33] = 1
    bytes.set(base58Checksum(bytes.subarray(0, 34)), 34)
    return text.use(out => encodeBase58(bytes, out))
  })
  text.shrink(length)
  return text
}
