import type { SourceFile } from './source-tree.ts'

/** A power and the files that hold it; nobody else's text may match. */
export type Power = {
  readonly name: string
  readonly pattern: RegExp
  readonly holders: readonly string[]
  readonly why: string
}

/** A file imports its own folder and folders of rows before its own, never one beside it. */
export type Layers = readonly (readonly string[])[]

/** A package, by name or as a scope (`@x/*`), and where alone it may be imported: file or folder/. */
export type Confined = { readonly name: string; readonly within: string; readonly why: string }

/** `main.ts` → `main.ts`, `chains/family/evm.ts` → `chains`. */
function folderOf(path: string): string {
  return path.split('/')[0] ?? path
}

export function brokenLayers(files: readonly SourceFile[], layers: Layers): readonly string[] {
  const rank = (folder: string): number => layers.findIndex(row => row.includes(folder))
  return eachImport(files, (path, target) => {
    if (target.startsWith('../')) return undefined
    const [from, to] = [folderOf(path), folderOf(target)]
    if (rank(from) < 0) return `${path}: is in no layer`
    if (from === to || (rank(to) >= 0 && rank(to) < rank(from))) return undefined
    return `${path}: imports ${target}, but ${from} may not see ${to}`
  })
}

/** What a file inside chains/ may import of chains/; index.ts is the list of all of them. */
export function brokenChainRules(files: readonly SourceFile[]): readonly string[] {
  return eachImport(files, (path, target) => {
    if (!path.startsWith('chains/') || !target.startsWith('chains/')) return undefined
    return chainMayImport(path, target) ? undefined : `${path}: imports ${target}`
  })
}

function chainMayImport(path: string, target: string): boolean {
  const isCodec = target.startsWith('chains/codec/')
  if (path === 'chains/index.ts') return true
  if (path === 'chains/names.ts' || path === 'chains/chain.ts') return false
  if (path.startsWith('chains/codec/')) return isCodec
  const isContract = target === 'chains/chain.ts' || target === 'chains/denials.ts'
  return isCodec || isContract || target.startsWith('chains/family/')
}

/** Imports of a file outside the tree; `allowed` names them as `file → target`. */
export function strayImports(
  files: readonly SourceFile[],
  allowed: readonly string[],
): readonly string[] {
  return eachImport(files, (path, target) =>
    target.startsWith('../') && !allowed.includes(`${path} → ${target}`)
      ? `${path}: imports ${target}, outside src`
      : undefined,
  )
}

export function misplacedPackages(
  files: readonly SourceFile[],
  confined: readonly Confined[],
): readonly string[] {
  return files.flatMap(({ path, imports }) =>
    imports.flatMap(({ target, isLocal }) =>
      confined
        .filter(({ name }) => !isLocal && isPackage(target, name))
        .filter(
          ({ within }) => path !== within && !(within.endsWith('/') && path.startsWith(within)),
        )
        .map(({ name, within }) => `${path}: imports ${name}, which belongs in ${within}`),
    ),
  )
}

function isPackage(target: string, name: string): boolean {
  if (name.endsWith('/*')) return target.startsWith(name.slice(0, -1))
  return target === name || target.startsWith(`${name}/`)
}

export function misusedPowers(
  files: readonly SourceFile[],
  powers: readonly Power[],
): readonly string[] {
  return files.flatMap(({ path, code }) =>
    powers
      .filter(({ pattern, holders }) => !holders.includes(path) && pattern.test(code))
      .map(({ name, why }) => `${path}: uses ${name} (${why})`),
  )
}

export function barrels(files: readonly SourceFile[]): readonly string[] {
  const reexport = /\bexport\s*(?:type\b)?\s*(?:\*|\{[^}]*\}\s*from\b)/
  return files.filter(({ code }) => reexport.test(code)).map(({ path }) => `${path}: re-exports`)
}

/** An import whose target is worked out at run time escapes every other rule here. */
export function computedImports(files: readonly SourceFile[]): readonly string[] {
  const computed = /\b(?:import|require)\s*\(\s*(?:[^'"`\s]|`[^`]*\$\{)/
  return files
    .filter(({ code }) => computed.test(code))
    .map(({ path }) => `${path}: computed import`)
}

/** Each cycle once, as the path of files back to the first. Types count: they are read together. */
export function cycles(files: readonly SourceFile[]): readonly string[] {
  const edges = new Map(
    files.map(({ path, imports }) => [path, imports.map(({ target }) => target)]),
  )
  const done = new Set<string>()
  const found: string[] = []
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path)
    if (at >= 0) found.push([...trail.slice(at), path].join(' → '))
    if (at >= 0 || done.has(path)) return
    for (const target of edges.get(path) ?? []) visit(target, [...trail, path])
    done.add(path)
  }
  for (const path of edges.keys()) visit(path, [])
  return found
}

function eachImport(
  files: readonly SourceFile[],
  judge: (path: string, target: string) => string | undefined,
): readonly string[] {
  return files.flatMap(({ path, imports }) =>
    imports
      .filter(({ isLocal }) => isLocal)
      .map(({ target }) => judge(path, target))
      .filter(complaint => complaint !== undefined),
  )
}
