import { KmsError } from '../base/errors.ts'

/** The highest index of a step that is not hardened (BIP-32). */
export const highestIndex = 2 ** 31 - 1

/** The step `n'` is child number `hardened + n`. */
export const hardened = 2 ** 31

/** `m/44'/60'/0'/0` → child numbers; paths are our own data, so a bad one is a bug. */
export function stepsOf(path: string): readonly number[] {
  if (!/^m(\/\d{1,10}'?)*$/.test(path)) throw malformedPath()
  return path
    .split('/')
    .slice(1)
    .map(step => {
      const number = Number.parseInt(step, 10)
      if (number > highestIndex) throw malformedPath()
      return step.endsWith("'") ? number + hardened : number
    })
}

/** `m/44'/501'/i'/0'` → the child numbers before and behind the index. */
export function stepsAroundIndex(path: string): {
  readonly before: readonly number[]
  readonly behind: readonly number[]
} {
  const [before, behind, ...others] = path.split("/i'")
  if (before === undefined || behind === undefined || others.length > 0) throw malformedPath()
  return { before: stepsOf(before), behind: stepsOf(`m${behind}`) }
}

export function malformedPath(): KmsError {
  return new KmsError('unexpected', 'malformed derivation path')
}
