import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { signedHeaders } from '../../../src/password/managers/sigv4.ts'
import { complaintAbout } from '../../support/fake-managers/signature.ts'

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)

/** https://github.com/awslabs/aws-c-auth, tests/aws-signing-test-suite/v4: context.json of each case. */
const suite = {
  region: 'us-east-1',
  service: 'service',
  now: Date.parse('2015-08-30T12:36:00Z'),
} as const
const keys = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
}
const sessionToken =
  'AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=='

type Case = {
  readonly name: string
  readonly method: 'GET' | 'POST'
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly token?: string
  readonly signed: string
  readonly signature: string
}

const cases: readonly Case[] = [
  {
    name: 'get-vanilla',
    method: 'GET',
    signed: 'host;x-amz-date',
    signature: '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
  },
  {
    name: 'get-unreserved',
    method: 'GET',
    path: '/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz',
    signed: 'host;x-amz-date',
    signature: '07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f',
  },
  {
    name: 'get-header-value-trim',
    method: 'GET',
    headers: { 'My-Header1': ' value1', 'My-Header2': ' "a   b   c"' },
    signed: 'host;my-header1;my-header2;x-amz-date',
    signature: 'acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736',
  },
  {
    name: 'post-vanilla',
    method: 'POST',
    signed: 'host;x-amz-date',
    signature: '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b',
  },
  {
    name: 'post-header-key-sort',
    method: 'POST',
    headers: { 'My-Header1': 'value1' },
    signed: 'host;my-header1;x-amz-date',
    signature: 'c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c',
  },
  {
    name: 'post-header-value-case',
    method: 'POST',
    headers: { 'My-Header1': 'VALUE1' },
    signed: 'host;my-header1;x-amz-date',
    signature: 'cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d',
  },
  {
    name: 'post-x-www-form-urlencoded',
    method: 'POST',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: 'Param1=value1',
    signed: 'content-type;host;x-amz-date',
    signature: 'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
  },
  {
    name: 'post-sts-header-before',
    method: 'POST',
    token: sessionToken,
    signed: 'host;x-amz-date;x-amz-security-token',
    signature: '85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead',
  },
]

describe("AWS's own signing test suite", () => {
  test.each(cases)('$name', ({ method, path = '/', headers = {}, body = '', token, ...wanted }) => {
    const url = new URL(`https://example.amazonaws.com${path}`)
    const request = { ...suite, method, url, headers, body }
    const signed = signedHeaders(request, { ...keys, sessionToken: token })
    expect(signed['authorization']).toBe(
      'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, ' +
        `SignedHeaders=${wanted.signed}, Signature=${wanted.signature}`,
    )
    expect(signed['x-amz-date']).toBe('20150830T123600Z')
    expect(signed['x-amz-security-token']).toBe(token)
  })
})

describe('what we sign', () => {
  const text = fc.string({ unit: fc.constantFrom(...'abc/+= 09~éß\n{}"'), maxLength: 40 })
  const word = fc.stringMatching(/^[A-Za-z0-9/+=]{16,60}$/)
  const arbitrary = fc.record({
    body: text,
    secret: word,
    token: fc.option(word, { nil: undefined }),
    value: fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/),
    port: fc.integer({ min: 1, max: 65_535 }),
    now: fc.integer({ min: 0, max: 4e12 }),
  })
  const wordKeys = { region: 'eu-central-1', service: 'secretsmanager' }

  test('is what an independent reader of the rules finds right', () => {
    const check = (given: typeof arbitrary extends fc.Arbitrary<infer T> ? T : never) => {
      expect(complaint(given, {})).toBeUndefined()
      expect(complaint(given, { body: `${given.body}.` })).toBe('InvalidSignatureException')
      expect(complaint(given, { secret: `${given.secret}.` })).toBe('InvalidSignatureException')
      expect(complaint(given, { now: given.now + 301_000 })).toBe('InvalidSignatureException')
    }
    fc.assert(fc.property(arbitrary, check), { numRuns })
  })

  type Given = {
    readonly body: string
    readonly secret: string
    readonly token: string | undefined
    readonly value: string
    readonly port: number
    readonly now: number
  }

  function complaint(given: Given, changed: Partial<Given>): string | undefined {
    const { body, secret, token, value, port, now } = given
    const url = new URL(`https://localhost:${port}/`)
    const credentials = { accessKeyId: 'AKIA1', secretAccessKey: secret, sessionToken: token }
    const request = {
      method: 'POST',
      url,
      headers: { 'x-amz-thing': value },
      body,
      ...wordKeys,
      now,
    }
    const headers = new Headers({ ...signedHeaders(request, credentials), host: url.host })
    const seen = { ...given, ...changed }
    const signer = { id: 'AKIA1', secret: seen.secret, ...(token !== undefined && { token }) }
    const received = { method: 'POST', path: '/', headers, body: seen.body }
    return complaintAbout(received, signer, { ...wordKeys, now: seen.now })
  }
})
