import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export type LockedPackage = {
  /** Where it is installed, such as `viem/@noble/curves` for one of viem's own. */
  readonly key: string
  readonly name: string
  readonly version: string
  /** `sha512-` and base64, of the archive in the registry. */
  readonly integrity: string
  /** Keys of those it needs. */
  readonly needs: readonly string[]
}

/** The packages that our program may be made of: what it depends on, and what those do. */
export function runtimePackages(root: string): readonly LockedPackage[] {
  const lock = Bun.JSONC.parse(readFileSync(join(root, 'bun.lock'), 'utf8')) as Lock
  const found = new Map<string, LockedPackage>()
  const visit = (key: string): void => {
    if (found.has(key)) return
    const locked = lockedPackage(lock, key)
    found.set(key, locked)
    locked.needs.forEach(visit)
  }
  for (const name of Object.keys(lock.workspaces[''].dependencies)) visit(name)
  return [...found.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1))
}

/** Of the text form of Bun's lock file, version 2, what is read here. */
type Lock = {
  readonly workspaces: { readonly '': { readonly dependencies: Readonly<Record<string, string>> } }
  readonly packages: Readonly<Record<string, LockEntry>>
}

type LockEntry = readonly [
  nameAndVersion: string,
  registry: string,
  about: { readonly dependencies?: Readonly<Record<string, string>> },
  integrity: string,
]

function lockedPackage({ packages }: Lock, key: string): LockedPackage {
  const entry = packages[key]
  if (entry === undefined) throw new Error(`bun.lock has no ${key}`)
  const [nameAndVersion, , { dependencies = {} }, integrity] = entry
  const at = nameAndVersion.lastIndexOf('@')
  const needs = Object.keys(dependencies).map(name => nearest(packages, key, name))
  const version = nameAndVersion.slice(at + 1)
  return { key, name: nameAndVersion.slice(0, at), version, integrity, needs }
}

/** As node finds a package: the asker's own, else that of whoever the asker belongs to. */
function nearest(packages: Lock['packages'], asker: string, name: string): string {
  for (let owner = asker; owner !== ''; owner = ownerOf(owner)) {
    if (`${owner}/${name}` in packages) return `${owner}/${name}`
  }
  return name
}

function ownerOf(key: string): string {
  return key.replace(/(^|\/)(@[^/]+\/)?[^/]+$/, '')
}

/** Where a package is, below the project's folder. */
export function folderOf({ key }: LockedPackage): string {
  const names = key.match(/(?:@[^/]+\/)?[^/]+/g) ?? []
  return `node_modules/${names.join('/node_modules/')}`
}
