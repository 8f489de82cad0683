import { createPublicKey, verify } from 'node:crypto'
import { ed25519 } from '@noble/curves/ed25519.js'
import type { Network, Signed } from '../../src/base/model.ts'
import type { Own, Prepared } from '../../src/chains/chain.ts'
import { defaultSettings } from '../../src/chains/settings.ts'
import { sign } from '../../src/secret/sign.ts'

/** Not with noble, which signs. */
export function verifiesEd25519(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const x = Buffer.from(publicKey).toString('base64url')
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  return verify(null, message, key, signature)
}

export function ed25519Own(seed: Uint8Array, network: Network): Own {
  const bytes = ed25519.getPublicKey(seed)
  return { network, keys: [{ curve: 'ed25519', bytes }], settings: defaultSettings }
}

/** What the signer does in earnest. */
export function sealWith(prepared: Prepared, seed: Uint8Array): Signed {
  return prepared.seal(prepared.requests.map(request => sign(request, seed)))
}
