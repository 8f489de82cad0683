import type { Disk } from '../base/disk.ts'
import { KmsError } from '../base/errors.ts'
import { readConfigFile } from '../base/guarded-file.ts'
import { parseStrictJson } from '../base/strict-json.ts'
import { parseToml } from '../base/toml.ts'
import { liftableDenials } from '../chains/denials.ts'
import { intentKinds } from '../chains/kinds.ts'
import { chainNames } from '../chains/names.ts'
import type { Policy } from '../guard/policy.ts'
import { readPolicy, type Share } from '../guard/policy-file.ts'

/** Where the owner's policy is, and which part of its windows is ours. */
export type PolicySource = { readonly path: string; readonly share: Share | null }

/** 20,000 addresses, and then some. */
const maxBytes = 2 ** 20

/**
 * Reads the policy as it is on disk now. Whoever else could write it could change the rules; others
 * may read it, as a service of another user does with root's.
 */
export function loadPolicy(disk: Disk, { path, share }: PolicySource): Policy {
  const bytes = readConfigFile(disk, path, maxBytes)
  if (bytes === undefined) throw new KmsError('usage', `there is no policy file at ${path}`)
  return readPolicy(parse(textIn(bytes, path), path), vocabulary, share ?? undefined)
}

const vocabulary = {
  chains: chainNames.map(([id]) => id),
  kinds: intentKinds,
  liftable: liftableDenials.map(({ name }) => name),
}

function textIn(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new KmsError('usage', `the policy at ${path} is no text`)
  }
}

function parse(text: string, path: string): unknown {
  if (path.endsWith('.json') || text.trimStart().startsWith('{')) return parseJsonPolicy(text)
  const parsed = parseToml(text)
  if ('value' in parsed) return parsed.value
  const { goodLines } = parsed
  const where = goodLines === undefined ? '' : `: see what begins at line ${goodLines + 1}`
  throw new KmsError('usage', `the policy is not TOML${where}`)
}

/** A name that stands twice would be read in two ways. */
function parseJsonPolicy(text: string): unknown {
  try {
    const value = parseStrictJson(text)
    if (value !== undefined) return value
  } catch (thrown) {
    if (!(thrown instanceof KmsError)) throw thrown
    throw new KmsError('usage', 'the policy has a member twice, or is nested too deep')
  }
  throw new KmsError('usage', 'the policy is not JSON')
}
