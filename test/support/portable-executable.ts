/** What a program for Windows asks for, and whether it says to be signed. */
export type PortableExecutable = {
  readonly libraries: readonly string[]
  readonly isSigned: boolean
}

/** PE Format (Microsoft): the directories of imports, of delayed imports and of certificates. */
export function readPortableExecutable(bytes: Uint8Array): PortableExecutable {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const header = file.readUInt32LE(0x3c)
  const optional = header + 24
  if (file.toString('latin1', header, header + 4) !== 'PE\0\0') throw new Error('not a PE file')
  if (file.readUInt16LE(optional) !== 0x20b) throw new Error('not a 64-bit PE file')
  const directory = (index: number): number => file.readUInt32LE(optional + 112 + 8 * index)
  const sections = optional + file.readUInt16LE(header + 20)
  const offsetOf = (address: number): number => {
    for (let index = 0; index < file.readUInt16LE(header + 6); index++) {
      const section = sections + 40 * index
      const inside = address - file.readUInt32LE(section + 12)
      if (inside >= 0 && inside < file.readUInt32LE(section + 8)) {
        return file.readUInt32LE(section + 20) + inside
      }
    }
    throw new Error('an address outside the file')
  }
  const names = (start: number, entrySize: number, nameAt: number): readonly string[] => {
    if (start === 0) return []
    const found: string[] = []
    for (let at = offsetOf(start); file.readUInt32LE(at + nameAt) !== 0; at += entrySize) {
      const name = offsetOf(file.readUInt32LE(at + nameAt))
      found.push(file.toString('latin1', name, file.indexOf(0, name)).toLowerCase())
    }
    return found
  }
  const libraries = [...names(directory(1), 20, 12), ...names(directory(13), 32, 4)]
  return { libraries: libraries.toSorted(), isSigned: directory(4) !== 0 }
}
