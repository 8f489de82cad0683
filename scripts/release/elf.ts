/** What a program for Linux asks of the machine before its first instruction. */
export type ElfNeeds = {
  readonly machine: 'x64' | 'arm64'
  /** What loads it. */
  readonly interpreter: string | undefined
  readonly libraries: readonly string[]
  /** Names such as `GLIBC_2.17` that those libraries must know. */
  readonly versions: readonly string[]
}

/** Reads the dynamic section of a 64-bit ELF file (System V ABI; versions: LSB 5.0, 10.7). */
export function readElf(bytes: Uint8Array): ElfNeeds {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (file.readUInt32BE(0) !== 0x7f454c46 || file[4] !== 2) throw new Error('not a 64-bit ELF file')
  const machine = machines[file.readUInt16LE(18)]
  if (machine === undefined) throw new Error('for another machine')
  const segments = readSegments(file)
  const interpreter = segments.find(({ kind }) => kind === interpreterSegment)
  const entries = readDynamic(file, segments)
  const offsetOf = (tag: number): number => {
    const address = entries.find(entry => entry.tag === tag)?.value
    return address === undefined ? 0 : fileOffset(segments, address)
  }
  const strings = offsetOf(stringTable)
  const text = (at: number): string => textAt(file, strings + at)
  const versionFiles = entries.find(({ tag }) => tag === versionCount)?.value ?? 0
  return {
    machine,
    interpreter: interpreter && textAt(file, interpreter.offset),
    libraries: entries.filter(({ tag }) => tag === neededLibrary).map(({ value }) => text(value)),
    versions: readVersions(file, offsetOf(versionTable), versionFiles).map(text),
  }
}

const machines: Readonly<Record<number, ElfNeeds['machine']>> = { 62: 'x64', 183: 'arm64' }
const loadedSegment = 1
const dynamicSegment = 2
const interpreterSegment = 3
const neededLibrary = 1
const stringTable = 5
const versionTable = 0x6ffffffe
const versionCount = 0x6fffffff

type Segment = {
  readonly kind: number
  readonly offset: number
  readonly address: number
  readonly size: number
}

function readSegments(file: Buffer): readonly Segment[] {
  const start = Number(file.readBigUInt64LE(32))
  const size = file.readUInt16LE(54)
  return Array.from({ length: file.readUInt16LE(56) }, (_, index) => {
    const at = start + index * size
    return {
      kind: file.readUInt32LE(at),
      offset: Number(file.readBigUInt64LE(at + 8)),
      address: Number(file.readBigUInt64LE(at + 16)),
      size: Number(file.readBigUInt64LE(at + 32)),
    }
  })
}

type DynamicEntry = { readonly tag: number; readonly value: number }

function readDynamic(file: Buffer, segments: readonly Segment[]): readonly DynamicEntry[] {
  const section = segments.find(({ kind }) => kind === dynamicSegment)
  if (section === undefined) return []
  const entries = Array.from({ length: section.size / 16 }, (_, index) => {
    const at = section.offset + index * 16
    return { tag: Number(file.readBigUInt64LE(at)), value: Number(file.readBigUInt64LE(at + 8)) }
  })
  const end = entries.findIndex(({ tag }) => tag === 0)
  return end === -1 ? entries : entries.slice(0, end)
}

function fileOffset(segments: readonly Segment[], address: number): number {
  const holder = segments.find(
    segment =>
      segment.kind === loadedSegment &&
      address >= segment.address &&
      address < segment.address + segment.size,
  )
  if (holder === undefined) throw new Error('an address outside the file')
  return address - holder.address + holder.offset
}

/** Where the names of versions stand in the table of strings: a chain of files, each with a chain. */
function readVersions(file: Buffer, start: number, count: number): readonly number[] {
  const names: number[] = []
  for (let index = 0, at = start; index < count; index++) {
    let entry = at + file.readUInt32LE(at + 8)
    for (let left = file.readUInt16LE(at + 2); left > 0; left--) {
      names.push(file.readUInt32LE(entry + 8))
      entry += file.readUInt32LE(entry + 12)
    }
    at += file.readUInt32LE(at + 12)
  }
  return names
}

function textAt(file: Buffer, at: number): string {
  return file.toString('latin1', at, file.indexOf(0, at))
}
