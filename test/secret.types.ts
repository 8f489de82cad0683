import type { Json } from '../src/base/json.ts'
import type { Secret } from '../src/secret/secret.ts'

/**
 * What must not compile. tsc reads this file and nothing runs it: an expected error that does not
 * come is an error itself.
 */
declare const secret: Secret
declare const text: string
declare function log(fields: { readonly [name: string]: Json | undefined }): void
declare function takesText(text: string): void
declare function takesBytes(bytes: Uint8Array): void

// @ts-expect-error TS2731: a secret in a template
export const inTemplate = `${secret}`
// @ts-expect-error TS2469: a secret joined to text
export const joined = text + secret
// @ts-expect-error TS2469: the other way round
export const joinedFirst = secret + text
// @ts-expect-error TS2469: a secret as a number
export const asNumber = +secret

// @ts-expect-error a secret in a log line
log({ key: secret })
// @ts-expect-error deeper in it
log({ keys: [{ key: secret }] })
// @ts-expect-error a secret as JSON
export const json: Json = secret

// @ts-expect-error a secret for text
takesText(secret)
// @ts-expect-error a secret for bytes
takesBytes(secret)
// @ts-expect-error for an array
export const array: Uint8Array = secret
// @ts-expect-error for anything that is written out
export const source: BufferSource | string = secret
// @ts-expect-error a copy of its numbers
export const numbers = [...secret]
// @ts-expect-error one of them
export const first = secret[0]

// @ts-expect-error its memory stays its own
export const memory = secret.memory
// @ts-expect-error the length changes by `shrink` only
secret.length = 5
// @ts-expect-error nothing but `allocateSecret` and `secretFrom` makes one
export const forged: Secret = { length: 1, address: 1, use: () => 1 }
// @ts-expect-error bytes are not secret by being called so
export const named: Secret = new Uint8Array(1)

/** And what must. */
export const length: number = secret.length
export const sum: number = secret.use(bytes => bytes.reduce((total, byte) => total + byte, 0))
secret satisfies Disposable
