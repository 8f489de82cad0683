/** A named part of a vault file. */
export type Region = { readonly name: string; readonly from: number; readonly to: number }

/** The parts of a vault with one slot, in order and without gaps, after docs/format.md. */
export function vaultRegions(file: Uint8Array): readonly Region[] {
  const view = new DataView(file.buffer, file.byteOffset, file.length)
  const regions: Region[] = []
  let at = 0
  const region = (name: string, length: number): void => {
    regions.push({ name, from: at, to: at + length })
    at += length
  }
  region('magic', 8)
  region('version', 2)
  region('header length', 4)
  region('vault id', 16)
  region('generation', 8)
  region('slot count', 1)
  region('slot id', 16)
  region('slot date', 8)
  region('label length', 1)
  region('label', view.getUint8(at - 1))
  region('kdf id', 1)
  region('log2N', 1)
  region('r', 4)
  region('p', 4)
  region('salt length', 1)
  region('salt', view.getUint8(at - 1))
  region('slot nonce', 12)
  region('wrapped key', 48)
  region('body nonce', 12)
  region('body length', 8)
  region('header hash', 32)
  region('ciphertext', file.length - at - 16)
  region('tag', 16)
  return regions
}
