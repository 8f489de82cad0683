import { closeSync } from 'node:fs'
import { runTool } from '../../base/child.ts'
import { KmsError } from '../../base/errors.ts'
import { pipe, writeOut } from '../../base/native.ts'
import type { Secret } from '../../secret/secret.ts'

/** The secret as only systemd on this machine can open it (systemd-creds(1)), for a service. */
export function seal(name: string, secret: Secret): string {
  const [reader, writer] = pipe()
  try {
    // A pipe takes more than a secret is long.
    secret.use(bytes => writeOut(writer, bytes))
    closeSync(writer)
    const { status, answer } = runTool(
      ['systemd-creds', 'encrypt', `--name=${name}`, '-', '-'],
      reader,
    )
    if (status === 0 && answer.length > 0) return answer
    throw new KmsError('unexpected', `systemd-creds could not seal ${name} (status ${status})`, {
      hint: 'systemd-creds setup, as root, says why',
    })
  } finally {
    closeSync(reader)
  }
}
