import { asKmsError } from '../base/errors.ts'
import { writeOut } from '../base/native.ts'
import type { Notice } from './messages.ts'
import { encodeFrame } from './wire.ts'

/** Tells a front, which has only heard frames so far or nothing, why there will be no signer. */
export function sayWhy(channelFd: number, fault: unknown): void {
  const notice = { type: 'failed', code: asKmsError(fault).code } as const satisfies Notice
  try {
    writeOut(channelFd, encodeFrame(0, notice))
  } catch {
    // It is gone; there is a fault on its way to somebody who is not.
  }
}
