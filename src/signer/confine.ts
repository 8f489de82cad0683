import { dirname } from 'node:path'
import {
  commonRefusals,
  networkRefusals,
  pathsOfRuntime,
  signalRefusals,
} from '../base/confinement.ts'
import type { Reach } from '../base/native-confine.ts'
import type { Refusal } from '../base/seccomp.ts'
import type { SignerSettings } from './settings.ts'

/** Its own folder, and where its rules come from. No port: it has no network. */
export function signerReach({
  vaultPath,
  policyPath,
}: Pick<SignerSettings, 'vaultPath' | 'policyPath'>): Reach {
  return {
    paths: [
      ...pathsOfRuntime(),
      { path: dirname(vaultPath), access: 'write' },
      // The folder: a file that is replaced is another one.
      ...(policyPath === null ? [] : [{ path: dirname(policyPath), access: 'read' } as const]),
    ],
    connectPorts: [],
    listenPorts: [],
    // The front is not inside, and must be killed if it does not end; see `signerRefusals`.
    signals: 'any',
  }
}

/** What it no longer does once the vault is open. A front that is its child it may kill. */
export function signerRefusals(frontPid: SignerSettings['frontPid']): readonly Refusal[] {
  return [
    ...commonRefusals,
    ...networkRefusals,
    frontPid === null
      ? { call: 'kill' }
      : { call: 'kill', argument: 0, because: { isNot: frontPid } },
    ...signalRefusals(),
  ]
}
