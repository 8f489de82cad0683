import { createHash } from 'node:crypto'

/** A Mach-O program as macOS sees it before it runs. */
export type MachO = {
  readonly libraries: readonly string[]
  readonly signature: {
    readonly identifier: string
    readonly flags: number
    readonly pages: number
    /** Pages that have another hash than the signature says. */
    readonly bad: number
    /** Whether it covers all before itself, and nothing follows. */
    readonly isWhole: boolean
  }
}

/** Written after Apple's loader.h and cs_blobs.h, not after what we sign with. */
export function readMachO(bytes: Uint8Array): MachO {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint32(0, true) !== 0xfeedfacf) throw new Error('not a 64-bit Mach-O file')
  const libraries: string[] = []
  let signature: MachO['signature'] | undefined
  for (let left = view.getUint32(16, true), at = 32; left > 0; left--) {
    const kind = view.getUint32(at, true) & 0x7fffffff
    const length = view.getUint32(at + 4, true)
    // LC_LOAD_DYLIB, LC_LOAD_WEAK_DYLIB, LC_REEXPORT_DYLIB
    if ([0x0c, 0x18, 0x1f].includes(kind)) {
      libraries.push(textAt(bytes, at + view.getUint32(at + 8, true)))
    }
    if (kind === 0x1d) {
      const start = view.getUint32(at + 8, true)
      signature = readSignature(bytes, start, start + view.getUint32(at + 12, true))
    }
    at += length
  }
  if (signature === undefined) throw new Error('not signed')
  return { libraries: libraries.toSorted(), signature }
}

function readSignature(bytes: Uint8Array, start: number, end: number): MachO['signature'] {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, end - start)
  if (view.getUint32(0) !== 0xfade0cc0) throw new Error('not a signature')
  for (let index = 0; index < view.getUint32(8); index++) {
    const at = view.getUint32(12 + 8 * index + 4)
    if (view.getUint32(at) !== 0xfade0c02) continue
    const covered = view.getUint32(at + 32)
    const pageSize = 2 ** view.getUint8(at + 39)
    const pages = view.getUint32(at + 28)
    const hashes = start + at + view.getUint32(at + 16)
    return {
      identifier: textAt(bytes, start + at + view.getUint32(at + 20)),
      flags: view.getUint32(at + 12),
      pages,
      bad: badPages(bytes.subarray(0, covered), pageSize, bytes.subarray(hashes)),
      isWhole: covered === start && end === bytes.length && pages * pageSize >= covered,
    }
  }
  throw new Error('no list of hashes')
}

function badPages(code: Uint8Array, pageSize: number, hashes: Uint8Array): number {
  let bad = 0
  for (let page = 0; page * pageSize < code.length; page++) {
    const hash = createHash('sha256').update(code.subarray(page * pageSize, (page + 1) * pageSize))
    if (!hash.digest().equals(hashes.subarray(page * 32, page * 32 + 32))) bad++
  }
  return bad
}

function textAt(bytes: Uint8Array, at: number): string {
  return Buffer.from(bytes.subarray(at, bytes.indexOf(0, at))).toString('latin1')
}
