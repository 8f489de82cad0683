import type { KeyRef, PublicKey } from '../base/model.ts'
import type { SignerClient } from '../signer/client.ts'
import { decodePublicKey } from '../signer/messages.ts'

type Asked = Pick<SignerClient, 'ask'>

/** By what each signer has said. */
const known = new WeakMap<Asked, Map<string, PublicKey>>()
/** Where more pay, all are forgotten and asked about again: a bound for memory, no cache for everybody. */
const maxKnown = 20_000

/**
 * The public keys behind `refs`. What the signer has said of them is not asked again: a wallet's keys
 * never change. That a wallet is gone shows when it is to sign.
 */
export async function publicKeysOf(
  signer: Asked,
  chain: string,
  refs: readonly KeyRef[],
): Promise<readonly PublicKey[]> {
  const names = refs.map(({ signatureId, index }) => `${chain}/${signatureId}/${index}`)
  const memory = known.get(signer) ?? new Map<string, PublicKey>()
  const remembered = names.flatMap(name => memory.get(name) ?? [])
  if (remembered.length === refs.length) return remembered
  const { keys } = await signer.ask({ type: 'publicKeys', chain, refs })
  const answered = keys.map(decodePublicKey)
  if (memory.size + answered.length > maxKnown) memory.clear()
  for (const [i, name] of names.entries()) {
    const key = answered[i]
    if (key !== undefined) memory.set(name, key)
  }
  known.set(signer, memory)
  return answered
}
