import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type ElfNeeds, readElf } from '../release/elf.ts'
import type { TarEntry } from './tar.ts'

/** Nobody's number on a usual machine; distroless images have the same. */
export const imageUser = 65_532

/** Made by the package ca-certificates when it is installed. */
export const certificates = '/etc/ssl/certs/ca-certificates.crt'

export type ImageFiles = {
  readonly machine: ElfNeeds['machine']
  readonly entries: readonly TarEntry[]
  /** Files that are this machine's, by their path. */
  readonly borrowed: readonly string[]
}

/** Everything there is in the image: the program, what it names, and what a C library looks up. */
export function imageFiles(program: Uint8Array): ImageFiles {
  const { machine, interpreter, libraries } = readElf(program)
  if (interpreter === undefined) throw new Error('a program that nothing loads')
  const multiarch = `/lib/${machine === 'x64' ? 'x86_64' : 'aarch64'}-linux-gnu`
  const named = libraries.filter(name => !interpreter.endsWith(`/${name}`))
  // The C library opens the last one by itself, when a thread ends.
  const found = [...named, 'libgcc_s.so.1'].map(name => join(multiarch, name))
  const borrowed = [interpreter, ...found.toSorted(), certificates]
  const files: readonly TarEntry[] = [
    file('/usr/local/bin/tatum-kms', program, 0o755),
    file('/etc/passwd', passwd),
    file('/etc/group', group),
    file('/etc/nsswitch.conf', 'hosts: files dns\n'),
    ...borrowed.map(path => file(path, readHere(path), path === certificates ? 0o644 : 0o755)),
  ]
  const folders = [...new Set(files.flatMap(({ path }) => foldersAbove(path)))]
  const entries: readonly TarEntry[] = [
    ...folders.map((path): TarEntry => ({ kind: 'folder', path, mode: 0o755 })),
    { kind: 'folder', path: 'root', mode: 0o755 },
    { kind: 'folder', path: 'root/.tatumrc', mode: 0o700, owner: imageUser },
    { kind: 'folder', path: 'tmp', mode: 0o1777 },
    ...files,
  ]
  return { machine, entries: entries.toSorted((a, b) => (a.path < b.path ? -1 : 1)), borrowed }
}

const passwd = `root:x:0:0:root:/root:/usr/local/bin/tatum-kms
tatum:x:${imageUser}:${imageUser}:tatum:/root:/usr/local/bin/tatum-kms
`
const group = `root:x:0:
tatum:x:${imageUser}:
`

function file(path: string, contents: Uint8Array | string, mode = 0o644): TarEntry {
  return { kind: 'file', path: path.slice(1), mode, bytes: Buffer.from(contents) }
}

/** Links are followed: the image has no two names for one file. */
function readHere(path: string): Uint8Array {
  if (!existsSync(path)) throw new Error(`the image needs ${path} of this machine`)
  return readFileSync(path)
}

function foldersAbove(path: string): readonly string[] {
  const above = dirname(path)
  return above === '.' ? [] : [...foldersAbove(above), above]
}
