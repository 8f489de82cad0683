import { expect } from 'bun:test'
import type { ErrorCode } from '../../src/base/errors.ts'

/** Matches a `KmsError` of this code, for `toThrow`. */
export function refusal(code: ErrorCode, message?: RegExp): Error {
  return expect.objectContaining({
    name: 'KmsError',
    code,
    ...(message && { message: expect.stringMatching(message) }),
  })
}
