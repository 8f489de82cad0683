import { createHash } from 'node:crypto'

/**
 * A copy of a Mach-O program with an ad hoc signature of its present bytes in the place of the one
 * it has. Bun embeds our program in a signed runtime and leaves the old signature of some: the kernel
 * of macOS ends a process when a page has another hash than its signature says.
 *
 * The layout is xnu's osfmk/kern/cs_blobs.h, version 0x20400; the same as Go's linker writes.
 */
export function signMachO(program: Uint8Array, identifier: string): Uint8Array {
  const image = Buffer.from(program)
  const { linkedit, signature } = findCommands(image)
  const codeEnd = image.readUInt32LE(signature + 8)
  if (codeEnd > image.length) throw new Error('the signature is outside the program')
  const size = superBlobSize(codeEnd, identifier)
  image.writeUInt32LE(size, signature + 12)
  const linkeditStart = Number(image.readBigUInt64LE(linkedit + 40))
  const linkeditSize = codeEnd + size - linkeditStart
  image.writeBigUInt64LE(BigInt(linkeditSize), linkedit + 48)
  // Whole pages of the larger page size, that of arm64.
  image.writeBigUInt64LE(BigInt(roundUp(linkeditSize, 0x4000)), linkedit + 32)
  const code = image.subarray(0, codeEnd)
  return Buffer.concat([code, superBlob(code, identifier)])
}

const magic64 = 0xfeedfacf
const headerSize = 32
const segment64 = 0x19
const codeSignature = 0x1d

type Commands = { readonly linkedit: number; readonly signature: number }

/** Where the two load commands stand that a signature changes. */
function findCommands(image: Buffer): Commands {
  if (image.readUInt32LE(0) !== magic64) throw new Error('not a 64-bit Mach-O program')
  let linkedit: number | undefined
  let signature: number | undefined
  const count = image.readUInt32LE(16)
  for (let index = 0, at = headerSize; index < count; index++) {
    const kind = image.readUInt32LE(at)
    if (kind === codeSignature) signature = at
    if (kind === segment64 && nameAt(image, at + 8) === '__LINKEDIT') linkedit = at
    at += image.readUInt32LE(at + 4)
  }
  if (linkedit === undefined || signature === undefined) throw new Error('no place to sign in')
  return { linkedit, signature }
}

function nameAt(image: Buffer, at: number): string {
  return image.toString('latin1', at, at + 16).replace(/\0.*/s, '')
}

/** Everything inside a signature is big-endian. */
const superBlobHeader = 20
const directoryHeader = 88
const pageSize = 0x1000
const hashSize = 32
const adHoc = 2
const mainBinary = 1

function superBlobSize(codeEnd: number, identifier: string): number {
  const pages = Math.ceil(codeEnd / pageSize)
  return superBlobHeader + directoryHeader + identifier.length + 1 + pages * hashSize
}

/** One blob in it: the CodeDirectory, whose hash is what macOS knows the program by. */
function superBlob(code: Buffer, identifier: string): Buffer {
  const blob = Buffer.alloc(superBlobSize(code.length, identifier))
  blob.writeUInt32BE(0xfade0cc0, 0)
  blob.writeUInt32BE(blob.length, 4)
  blob.writeUInt32BE(1, 8)
  blob.writeUInt32BE(0, 12)
  blob.writeUInt32BE(superBlobHeader, 16)
  writeDirectory(blob.subarray(superBlobHeader), code, identifier)
  return blob
}

function writeDirectory(directory: Buffer, code: Buffer, identifier: string): void {
  const hashesAt = directoryHeader + identifier.length + 1
  const pages = Math.ceil(code.length / pageSize)
  directory.writeUInt32BE(0xfade0c02, 0)
  directory.writeUInt32BE(directory.length, 4)
  directory.writeUInt32BE(0x20400, 8)
  directory.writeUInt32BE(adHoc, 12)
  directory.writeUInt32BE(hashesAt, 16)
  directory.writeUInt32BE(directoryHeader, 20)
  directory.writeUInt32BE(pages, 28)
  directory.writeUInt32BE(code.length, 32)
  directory.writeUInt8(hashSize, 36)
  directory.writeUInt8(2, 37) // SHA-256
  directory.writeUInt8(Math.log2(pageSize), 39)
  // The segment with the code begins with the file and ends where the next one begins.
  directory.writeBigUInt64BE(BigInt(textSize(code)), 72)
  directory.writeBigUInt64BE(BigInt(mainBinary), 80)
  directory.write(identifier, directoryHeader, 'latin1')
  for (let page = 0; page < pages; page++) {
    const bytes = code.subarray(page * pageSize, (page + 1) * pageSize)
    createHash('sha256')
      .update(bytes)
      .digest()
      .copy(directory, hashesAt + page * hashSize)
  }
}

function textSize(image: Buffer): number {
  const count = image.readUInt32LE(16)
  for (let index = 0, at = headerSize; index < count; index++) {
    const isText = image.readUInt32LE(at) === segment64 && nameAt(image, at + 8) === '__TEXT'
    if (isText) return Number(image.readBigUInt64LE(at + 48))
    at += image.readUInt32LE(at + 4)
  }
  throw new Error('no code in this program')
}

function roundUp(size: number, unit: number): number {
  return Math.ceil(size / unit) * unit
}
