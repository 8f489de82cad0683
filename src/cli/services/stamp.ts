import { createHash } from 'node:crypto'

/** The last line of a file of ours: whoever changes the file changes what it says. */
export function stamped(text: string): string {
  return `${text}${mark}${digestOf(text)}\n`
}

/** Whether a file is as some version of this program has written it. */
export function isUnchanged(text: string): boolean {
  const at = text.lastIndexOf(mark)
  return at >= 0 && stamped(text.slice(0, at)) === text
}

const mark = '# Written by tatum-kms install-service: '

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
