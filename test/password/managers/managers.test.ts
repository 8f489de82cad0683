import { afterAll, afterEach, describe, expect, test } from 'bun:test'
import { type HttpRequest, secureUrl } from '../../../src/base/http.ts'
import { type ManagerName, managerNames } from '../../../src/password/managers/names.ts'
import { askHere, testHttp } from '../../support/ask-manager.ts'
import { makeCertificate } from '../../support/certificate.ts'
import { aws } from '../../support/fake-managers/fake-aws.ts'
import { azure } from '../../support/fake-managers/fake-azure.ts'
import { hashicorp } from '../../support/fake-managers/fake-hashicorp.ts'
import { startFakeManagers } from '../../support/fake-managers/server.ts'
import { type Settings, settingsFor } from '../../support/fake-managers/variables.ts'
import { expectSilence, rejectionOf } from '../../support/secret.ts'

const password = 'correct hörse "battery" \\ staple 🐴'

const fake = startFakeManagers(password)
const settings = settingsFor(fake.url)

afterEach(() => {
  fake.instead = undefined
  fake.asked.length = 0
})
afterAll(() => fake[Symbol.dispose]())

function ask(manager: ManagerName, changed: Settings = {}): Promise<string> {
  return askHere(manager, { ...settings[manager], ...changed }, testHttp(fake.cert))
}

describe.each(managerNames)('%s', manager => {
  test('gives the password as it is stored', async () => {
    expect(await ask(manager)).toBe(password)
  })

  test('is not asked when a variable is missing, and all that are missing are named', async () => {
    const refusal = await rejectionOf(() => askHere(manager, {}, testHttp(fake.cert)))
    expect(refusal.code).toBe('usage')
    expect(refusal.message).toMatch(/^[A-Z_]+(, [A-Z_]+)+ are not set$/)
    expect(fake.asked).toEqual([])
  })

  test('is not trusted without the authority that vouches for it', async () => {
    const { cert: other } = makeCertificate()
    const http = testHttp(other)
    const refusal = await rejectionOf(() => askHere(manager, settings[manager], http))
    expect(refusal.code).toBe('network')
    expect(refusal.message).toMatch(/^could not reach [\w ]+ \(\w+\)$/)
    expect(refusal.hint).toBeString()
    expect(fake.asked).toEqual([])
  })

  test('is never asked over http on another host', async () => {
    const elsewhere = settingsFor('http://198.51.100.7')[manager]
    const refusal = await rejectionOf(() => askHere(manager, elsewhere, refuseToSend))
    expect(refusal.code).toBe('usage')
    expect(refusal.message).toContain('over http')
  })

  test('gets no line break in a header', async () => {
    const [name = ''] = Object.keys(settings[manager]).filter(key => /TOKEN$|KEY_ID$/.test(key))
    if (name === '') return
    const refusal = await rejectionOf(() => ask(manager, { [name]: 'secret-of-mine\nx: y' }))
    expect(refusal.code).toBe('usage')
    expect(refusal.message).toContain('holds a character that cannot be sent')
    expectSilence(refusal, 'secret-of-mine')
    expect(fake.asked).toEqual([])
  })
})

async function refuseToSend({ url, label, insecureHttp }: HttpRequest): Promise<never> {
  secureUrl(url, { label, insecureHttp })
  throw new Error('it was sent')
}

describe('a secret that holds no password', () => {
  const stored: Readonly<Record<ManagerName, (value: unknown) => unknown>> = {
    aws: value => ({ SecretString: JSON.stringify({ [aws.member]: value }) }),
    azure: value => ({ value, access_token: azure.accessToken }),
    vgs: value => ({ data: [{ value }] }),
    hashicorp: value => ({ data: { data: { [hashicorp.member]: value } } }),
  }
  const values: readonly (readonly [unknown, string])[] = [
    [undefined, 'is not there'],
    ['', 'is empty'],
    [null, 'is not text'],
    [12_345_678, 'is not text'],
    [['hunter2hunter2'], 'is not text'],
    [{ hunter2hunter2: 1 }, 'is not text'],
  ]
  test.each(managerNames.flatMap(name => values.map(value => [name, ...value] as const)))(
    '%s: %j',
    async (manager, value, complaint) => {
      fake.instead = () => Response.json(stored[manager](value))
      const refusal = await rejectionOf(() => ask(manager))
      expect(refusal.code).toBe('usage')
      expect(refusal.message).toEndWith(complaint)
      expect(refusal.hint).toStartWith('check ')
      expectSilence(refusal, 'hunter2hunter2')
    },
  )
})

describe('a manager that is not well', () => {
  type Bad = readonly [
    name: string,
    answer: () => Response,
    code: string,
    message: RegExp,
    asked: number,
  ]
  const text = (body: string) => () => new Response(body)
  const status =
    (n: number, headers = {}) =>
    () =>
      new Response(password, { status: n, headers })
  const bad: readonly Bad[] = [
    ['no JSON', text(`<html>${password}`), 'network', /answered with something else/, 1],
    ['nothing', text(''), 'network', /answered with something else/, 1],
    ['a list', text('[]'), 'network', /answered with something else/, 1],
    ['deep JSON', text('['.repeat(100_000)), 'network', /answered with something else/, 1],
    ['a megabyte', text(' '.repeat(1 << 20)), 'network', /sent more than the 262144 bytes/, 3],
    [
      'a redirect',
      status(307, { location: '/' }),
      'network',
      /redirect, which is never followed$/,
      1,
    ],
    ['401', status(401), 'usage', /refused access \(401\)$/, 1],
    ['403', status(403), 'usage', /refused access \(403\)$/, 1],
    ['404', status(404), 'usage', /does not know what was asked for$/, 1],
    ['418', status(418), 'usage', /refused the request \(418\)$/, 1],
    ['429', status(429), 'network', /answered 429$/, 3],
    ['500', status(500), 'network', /answered 500$/, 3],
    ['503', status(503), 'network', /answered 503$/, 3],
  ]
  test.each(
    managerNames.flatMap(name => bad.map(([what, ...rest]) => [name, what, ...rest] as const)),
  )('%s answers %s', async (manager, _, answer, code, message, asked) => {
    fake.instead = answer
    const refusal = await rejectionOf(() => ask(manager))
    expect({ code: refusal.code as string, times: fake.asked.length }).toEqual({
      code,
      times: asked,
    })
    expect(refusal.message).toMatch(message)
    expect(refusal.message).toMatch(/^[ -~]{10,120}[^.]$/)
    expect(`${refusal.message}${refusal.hint}`).not.toMatch(/127\.0|https?:/)
    for (const value of [password, ...Object.values(settings[manager])]) {
      if (value.length > 12) expect(`${refusal.message}${refusal.hint}`).not.toContain(value)
    }
  })

  test.each(managerNames)('%s is well again at the second attempt', async manager => {
    let failures = 0
    fake.instead = () => (failures++ === 0 ? new Response('', { status: 503 }) : undefined)
    expect(await ask(manager)).toBe(password)
  })
})
