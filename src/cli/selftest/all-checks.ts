import type { KeyRoom } from '../../secret/key-room.ts'
import type { SelfCheck } from './check.ts'
import { hashChecks } from './hash-checks.ts'
import { keyChecks } from './key-checks.ts'
import { machineChecks } from './machine-checks.ts'
import { passwordChecks } from './password-checks.ts'
import { paymentChecks } from './payment-checks.ts'
import { textChecks } from './text-checks.ts'
import { walletChecks } from './wallet-checks.ts'

/** All that `selftest` tries, in this order: the last of them ends what the process can do. */
export function selfChecks(room: KeyRoom): readonly SelfCheck[] {
  return [
    ...hashChecks,
    ...passwordChecks,
    ...keyChecks(room),
    ...textChecks,
    ...walletChecks(room),
    ...paymentChecks(room),
    ...machineChecks,
  ]
}
