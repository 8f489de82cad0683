/**
 * A Windows library without code that answers one function with one of another library. Wine 8 has
 * no bcryptprimitives.dll, which Bun asks for random bytes: everything else it has.
 */
export function forwardingLibrary(name: string, symbol: string, target: string): Uint8Array {
  const file = Buffer.alloc(headersSize + sectionSize)
  file.write('MZ', 0)
  file.writeUInt32LE(peAt, 0x3c)
  writeHeaders(file)
  writeExports(file.subarray(headersSize), { name, symbol, target })
  return file
}

/** File and section alignment are the same, so that offsets in the file are addresses. */
const headersSize = 0x1000
const sectionSize = 0x1000
const peAt = 0x40
const coffSize = 24
const optionalSize = 240

/** PE Format (Microsoft), "COFF File Header" and "Optional Header". */
function writeHeaders(file: Buffer): void {
  file.write('PE\0\0', peAt)
  file.writeUInt16LE(0x8664, peAt + 4) // x64
  file.writeUInt16LE(1, peAt + 6) // sections
  file.writeUInt16LE(optionalSize, peAt + 20)
  file.writeUInt16LE(0x2022, peAt + 22) // executable image, large addresses, library
  const optional = file.subarray(peAt + coffSize)
  optional.writeUInt16LE(0x20b, 0) // PE32+
  optional.writeBigUInt64LE(0x1_8000_0000n, 24) // where it would like to be
  optional.writeUInt32LE(sectionSize, 32)
  optional.writeUInt32LE(sectionSize, 36)
  optional.writeUInt16LE(6, 40) // for Windows 6
  optional.writeUInt16LE(6, 48)
  optional.writeUInt32LE(headersSize + sectionSize, 56)
  optional.writeUInt32LE(headersSize, 60)
  optional.writeUInt16LE(3, 68) // console
  optional.writeUInt16LE(0x100, 70) // no executable data
  optional.writeUInt32LE(16, 108) // directories, of which the first is the exports
  optional.writeUInt32LE(headersSize, 112)
  optional.writeUInt32LE(sectionSize, 116)
  const section = optional.subarray(optionalSize)
  section.write('.edata', 0)
  section.writeUInt32LE(sectionSize, 8)
  section.writeUInt32LE(headersSize, 12)
  section.writeUInt32LE(sectionSize, 16)
  section.writeUInt32LE(headersSize, 20)
  section.writeUInt32LE(0x4000_0040, 36) // initialised data, readable
}

/** PE Format, "The .edata Section": an address within it is a forwarder. */
function writeExports(
  section: Buffer,
  texts: { readonly name: string; readonly symbol: string; readonly target: string },
): void {
  const at = { functions: 0x40, names: 0x48, ordinals: 0x50, name: 0x80, symbol: 0x100 } as const
  const target = 0x180
  section.writeUInt32LE(headersSize + at.name, 12)
  section.writeUInt32LE(1, 16) // the first ordinal
  section.writeUInt32LE(1, 20) // functions
  section.writeUInt32LE(1, 24) // names
  section.writeUInt32LE(headersSize + at.functions, 28)
  section.writeUInt32LE(headersSize + at.names, 32)
  section.writeUInt32LE(headersSize + at.ordinals, 36)
  section.writeUInt32LE(headersSize + target, at.functions)
  section.writeUInt32LE(headersSize + at.symbol, at.names)
  section.write(`${texts.name}\0`, at.name)
  section.write(`${texts.symbol}\0`, at.symbol)
  section.write(`${texts.target}\0`, target)
}
