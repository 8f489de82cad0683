import type { ErrorCode } from '../base/errors.ts'

/** Exit status of each failure (DESIGN 7). A new code without a status does not compile. */
export const exitStatus = {
  unexpected: 1,
  disk: 1,
  memory: 1,
  confinement: 1,
  usage: 2,
  'partly-done': 3,
  'vault-missing': 10,
  'vault-busy': 11,
  'wrong-password': 12,
  'vault-damaged': 13,
  'vault-rolled-back': 14,
  'unsafe-permissions': 15,
  'wallet-missing': 16,
  'policy-denied': 20,
  'approver-denied': 21,
  'approver-unreachable': 22,
  network: 30,
  'api-key-refused': 31,
  'transaction-malformed': 40,
  'transaction-refused': 40,
  'too-early': 30,
  interrupted: 130,
  terminated: 143,
} as const satisfies Record<ErrorCode, number>

/** Of work in several parts: 0 all, 3 some, else what the first failure was (DESIGN 7). */
export function statusOfMany(done: number, failures: readonly ErrorCode[]): number {
  const [first] = failures
  if (first === undefined) return 0
  return done > 0 ? exitStatus['partly-done'] : exitStatus[first]
}
