import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'

export type SourceFile = {
  /** Below the root, with `/`: `chains/btc.ts`. */
  readonly path: string
  /** The text without the comments that stand on lines of their own. */
  readonly code: string
  readonly imports: readonly Import[]
}

/** `target` is a path below the root, or the name of a package or module. */
export type Import = { readonly target: string; readonly isLocal: boolean }

export function readSourceTree(root: string): readonly SourceFile[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter(name => /\.[cm]?[jt]sx?$/.test(name))
    .map(name => name.replaceAll('\\', '/'))
    .sort()
    .map(path => parseSource(path, readFileSync(join(root, path), 'utf8')))
}

/**
 * Reads import statements from the text: Bun's own scanner leaves out type-only ones, and a type
 * is a dependency too. What looks like an import inside a string counts: better one too many.
 */
export function parseSource(path: string, text: string): SourceFile {
  const code = withoutComments(text)
  const specifiers = importForms.flatMap(form => [...code.matchAll(form)].map(found => found[1]))
  const imports = specifiers
    .filter(specifier => specifier !== undefined)
    .map(specifier =>
      specifier.startsWith('.')
        ? { target: posix.normalize(posix.join(posix.dirname(path), specifier)), isLocal: true }
        : { target: specifier, isLocal: false },
    )
  return { path, code, imports }
}

const importForms = [
  /\bimport\s*(?:type\b)?[\w\s{},*$]*?(?:\bfrom\s*)?['"]([^'"\n]+)['"]/g,
  /\bexport\s*(?:type\b)?\s*(?:\*(?:\s*as\s+\w+)?|\{[^}]*\})\s*from\s*['"]([^'"\n]+)['"]/g,
  /\b(?:import|require)\s*\(\s*['"`]([^'"`\n]+)['"`]/g,
  /\bnew\s+(?:Worker|URL)\(\s*(?:new\s+URL\(\s*)?['"`](\.[^'"`\n]+)['"`]/g,
]

/**
 * Only comments that begin a line: one behind code is left in, because telling it from a string
 * takes a parser, and a word too many fails loudly where a line too few would hide something.
 */
function withoutComments(text: string): string {
  return text.replace(/^[ \t]*\/\*[\s\S]*?\*\/|^[ \t]*\/\/.*$/gm, '')
}
