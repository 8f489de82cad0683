import { KmsError } from '../base/errors.ts'
import { parseShare, type Share } from '../guard/policy-file.ts'

/** `--share 1/N`; null where it is not given. */
export function shareOption(text: string | undefined): Share | null {
  if (text === undefined) return null
  const share = parseShare(text)
  if (share !== undefined) return share
  throw new KmsError('usage', '--share is 1/N: the windows of N daemons together are those of one')
}
