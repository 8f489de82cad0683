import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { ErrorCode } from '../../src/base/errors.ts'

/** A file of the testkit and what the program says to it. */
export type KitFile = {
  readonly file: string
  readonly what: string
  readonly password: string
  /** Exit status of `inspect`, which asks for no password: 0 unless the header itself is bad. */
  readonly inspectExit: number
  /** Exit status of `export` with the password, and the fault in the program. */
  readonly expectedExit: number
  readonly expectedCode?: ErrorCode
}

export type KitCase = KitFile & { readonly bytes: Uint8Array }

export const kitFolder = resolve(import.meta.dir, '../vectors/vault')

/** In the wallets of every file. Anybody can read them here: no money belongs to them. */
export const kitSecrets = {
  mnemonic:
    'legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth title',
  key: `0x${'5ec4e7'.repeat(10)}1234`,
} as const

export function readKit(): readonly KitCase[] {
  const manifest: readonly KitFile[] = JSON.parse(
    readFileSync(join(kitFolder, 'manifest.json'), 'utf8'),
  )
  return manifest.map(facts => ({ ...facts, bytes: readFileSync(join(kitFolder, facts.file)) }))
}
