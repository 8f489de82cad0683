import { dirname } from 'node:path'
import { runTool } from '../../base/child.ts'
import { realDisk } from '../../base/disk.ts'
import { KmsError } from '../../base/errors.ts'
import { isCompiled } from '../../base/program.ts'

/** The version of systemd; the first with sealed credentials is the least. */
export function systemdVersion(): number {
  const [, digits] = /^systemd (\d+)/.exec(runTool(['systemctl', '--version']).answer) ?? []
  if (digits === undefined) {
    throw new KmsError('usage', 'services are for systemd, which is not here', {
      hint: 'tatum-kms daemon runs under anything',
    })
  }
  const version = Number(digits)
  if (version >= 250) return version
  throw new KmsError('usage', `systemd ${version} is too old: 250 can seal passwords`)
}

export function refuseOthersThanRoot(): void {
  if (process.geteuid?.() === 0) return
  throw new KmsError('unsafe-permissions', 'only root installs and removes services', {
    hint: '--dry-run says what it would do',
  })
}

/** The program that a service is to run: whoever can replace it has the keys. */
export function serviceBinary(given: string | undefined, self: string): string {
  if (given === undefined && !isCompiled()) {
    throw new KmsError('usage', 'say with --binary which program the service runs')
  }
  const path = given ?? self
  // A unit gives spaces, percent signs and colons a meaning.
  if (/^\/[\w./+-]+$/.test(path)) return path
  throw new KmsError('usage', '--binary takes an absolute path of letters, digits and ._+-')
}

export function refuseReplaceable(binary: string): void {
  for (let path = binary; ; path = dirname(path)) {
    const facts = realDisk.lookThrough(path)
    if (facts === undefined) throw new KmsError('usage', `there is no program at ${binary}`)
    if (facts.uid !== 0 || (facts.mode & 0o022) !== 0) {
      throw new KmsError('unsafe-permissions', `others than root can replace ${path}`, {
        hint: 'install the program first: install -m 0711 tatum-kms /usr/local/bin/',
      })
    }
    if (path === dirname(path)) return
  }
}
