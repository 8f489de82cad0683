/** One member of an archive. Owner and mode are all that is kept beside the contents. */
export type TarEntry = {
  /** Without a leading slash. */
  readonly path: string
  readonly mode: number
  /** User and group in one; root if left out. */
  readonly owner?: number
} & ({ readonly kind: 'folder' } | { readonly kind: 'file'; readonly bytes: Uint8Array })

/** An archive in POSIX ustar, with all times 0: the same entries are the same bytes. */
export function tar(entries: readonly TarEntry[]): Uint8Array {
  const end = new Uint8Array(2 * blockSize)
  return Buffer.concat([...entries.flatMap(writeEntry), end])
}

const blockSize = 512

function writeEntry(entry: TarEntry): readonly Uint8Array[] {
  const bytes = entry.kind === 'file' ? entry.bytes : new Uint8Array()
  const padding = new Uint8Array((blockSize - (bytes.length % blockSize)) % blockSize)
  return [writeHeader(entry, bytes.length), bytes, padding]
}

function writeHeader({ path, mode, owner = 0, kind }: TarEntry, size: number): Uint8Array {
  const name = kind === 'folder' ? `${path}/` : path
  if (Buffer.byteLength(name) > 99) throw new Error(`too long a name: ${path}`)
  const header = Buffer.alloc(blockSize)
  header.write(name, 0)
  header.write(octal(mode, 7), 100)
  header.write(octal(owner, 7), 108)
  header.write(octal(owner, 7), 116)
  header.write(octal(size, 11), 124)
  header.write(octal(0, 11), 136)
  header.write(' '.repeat(8), 148)
  header.write(kind === 'folder' ? '5' : '0', 156)
  header.write('ustar\x0000', 257)
  // The sum counts its own field as spaces.
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${octal(sum, 6)}\0 `, 148)
  return header
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0')
}
