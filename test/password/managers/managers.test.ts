import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { HttpRequest } from '../../../src/base/http.ts'
import { type ManagerName, managerNames } from '../../../src/password/managers/names.ts'
import { askHere, testHttp } from '../../support/ask-manager.ts'
import { aws } from '../../support/fake-managers/fake-aws.ts'
import { azure } from '../../support/fake-managers/fake-azure.ts'
import { hashicorp } from '../../support/fake-managers/fake-hashicorp.ts'
import { type FakeManagers, startFakeManagers } from '../../support/fake-managers/server.ts'
import { type Settings, settingsFor, without } from '../../support/fake-managers/variables.ts'
import { expectSilence, rejectionOf } from '../../support/secret.ts'

const password = 'correct hörse "battery" \\ staple 🐴'

let fake: FakeManagers
let settings: ReturnType<typeof settingsFor>
beforeAll(() => {
  fake = startFakeManagers(password)
  settings = settingsFor(fake.url)
})
afterEach(() => {
  fake.instead = undefined
  fake.asked.length = 0
})
afterAll(() => fake[Symbol.dispose]())

function ask(manager: ManagerName, changed: Settings = {}): Promise<string> {
  return askHere(manager, { ...settings[manager], ...changed }, testHttp(fake.cert))
}

function tokenFile(name: string, content: string): string {
  const path = join(dirname(fake.certFile), name)
  writeFileSync(path, `${content}\n`)
  return path
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
    const { cert: other } = await import('../../support/certificate.ts').then(m =>
      m.makeCertificate(),
    )
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
  const { secureUrl } = await import('../../../src/base/http.ts')
  secureUrl(url, { label, insecureHttp })
  throw new Error('it was sent')
}

describe('who we are to AWS', () => {
  const noKeys = (): Settings =>
    without(settings.aws, 'TATUM_KMS_AWS_ACCESS_KEY_ID', 'TATUM_KMS_AWS_SECRET_ACCESS_KEY')
  const asked = (more: Settings): Promise<string> =>
    askHere('aws', { ...noKeys(), ...more }, testHttp(fake.cert))

  test('keys with a session token', async () => {
    const { id, secret, token } = aws.temporary
    const given = {
      TATUM_KMS_AWS_ACCESS_KEY_ID: id,
      TATUM_KMS_AWS_SECRET_ACCESS_KEY: secret,
      TATUM_KMS_AWS_SESSION_TOKEN: token,
    }
    expect(await asked(given)).toBe(password)
    expect(fake.asked).toEqual(['POST /'])
  })

  test('half of a pair of keys is a mistake, not a reason to look elsewhere', async () => {
    const refusal = await rejectionOf(() => asked({ TATUM_KMS_AWS_ACCESS_KEY_ID: aws.keys.id }))
    expect(refusal.message).toBe('TATUM_KMS_AWS_SECRET_ACCESS_KEY is not set')
  })

  test('a token file of EKS (IRSA), by way of STS', async () => {
    const path = tokenFile('web-token', aws.webToken)
    const given = {
      AWS_ENDPOINT_URL_STS: fake.url,
      AWS_ROLE_ARN: aws.roleArn,
      AWS_WEB_IDENTITY_TOKEN_FILE: path,
    }
    expect(await asked(given)).toBe(password)
    expect(fake.asked).toEqual(['POST /', 'POST /'])
    const refusal = await rejectionOf(() =>
      asked({ ...given, AWS_ROLE_ARN: 'arn:aws:iam::1:role/x' }),
    )
    expect(refusal.code).toBe('usage')
    expect(refusal.message).toBe('AWS STS refused the request (400)')
    expect(refusal.hint).toContain('AWS_ROLE_ARN')
  })

  test('a container’s endpoint with a token file (EKS) or a token', async () => {
    const url = { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${fake.url}/container/credentials` }
    const path = tokenFile('container-token', aws.containerToken)
    expect(await asked({ ...url, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: path })).toBe(password)
    expect(await asked({ ...url, AWS_CONTAINER_AUTHORIZATION_TOKEN: aws.containerToken })).toBe(
      password,
    )
    const refusal = await rejectionOf(() => asked(url))
    expect(refusal.message).toBe('the credentials service of the container refused access (401)')
  })

  test('a container’s path (ECS) is on the address of ECS, and nowhere else', async () => {
    const urls: string[] = []
    const http = async ({ url, insecureHttp }: HttpRequest) => {
      urls.push(`${url} ${insecureHttp}`)
      return { status: 500, headers: new Headers(), text: '' }
    }
    const path = 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'
    await rejectionOf(() => askHere('aws', { ...noKeys(), [path]: '/v2/credentials/1' }, http))
    expect(urls).toEqual(['http://169.254.170.2/v2/credentials/1 true'])
    const refusal = await rejectionOf(() => asked({ [path]: '@elsewhere.example/' }))
    expect(refusal.message).toBe(`${path} does not begin with /`)
  })

  test('the role of an instance, version 2 of the metadata service', async () => {
    expect(await asked({ AWS_EC2_METADATA_SERVICE_ENDPOINT: `${fake.url}/` })).toBe(password)
    expect(fake.asked).toEqual([
      'PUT /latest/api/token',
      'GET /latest/meta-data/iam/security-credentials/',
      `GET /latest/meta-data/iam/security-credentials/${aws.role}`,
      'POST /',
    ])
  })

  test.each(['', '../../user-data', 'a/b', 'x'.repeat(65)])(
    'a metadata service that calls the role %j is not believed',
    async role => {
      fake.instead = ({ path }) => (path.endsWith('credentials/') ? new Response(role) : undefined)
      const given = { AWS_EC2_METADATA_SERVICE_ENDPOINT: fake.url }
      const refusal = await rejectionOf(() => asked(given))
      expect(refusal.code).toBe('network')
      expect(fake.asked).toHaveLength(2)
    },
  )

  test('nobody on a machine outside of AWS: the keys are what to set', async () => {
    const given = { AWS_EC2_METADATA_SERVICE_ENDPOINT: 'http://127.0.0.1:9' }
    const refusal = await rejectionOf(() => asked(given))
    expect(refusal.code).toBe('network')
    expect(refusal.message).toContain('could not reach the metadata service of EC2')
    expect(refusal.hint).toContain('TATUM_KMS_AWS_ACCESS_KEY_ID')
  })

  test.each(['evil.example/', 'us-east-1.evil.example#', 'us east-1', 'US-EAST-1', 'x'])(
    'no region %j becomes a part of a host name',
    async region => {
      const given = { ...without(settings.aws, 'AWS_ENDPOINT_URL_SECRETS_MANAGER') }
      const all = { ...given, TATUM_KMS_AWS_REGION: region }
      const refusal = await rejectionOf(() => askHere('aws', all, refuseToSend))
      expect(refusal.message).toBe('TATUM_KMS_AWS_REGION is not the name of a region')
    },
  )

  test.each([
    ['us-east-1', 'https://secretsmanager.us-east-1.amazonaws.com/'],
    ['us-gov-west-1', 'https://secretsmanager.us-gov-west-1.amazonaws.com/'],
    ['cn-north-1', 'https://secretsmanager.cn-north-1.amazonaws.com.cn/'],
  ])('in %s Secrets Manager is %s', async (region, address) => {
    const urls: string[] = []
    const http = async ({ url }: HttpRequest) => {
      urls.push(url)
      return { status: 500, headers: new Headers(), text: '' }
    }
    const given = without(settings.aws, 'AWS_ENDPOINT_URL_SECRETS_MANAGER')
    await rejectionOf(() => askHere('aws', { ...given, TATUM_KMS_AWS_REGION: region }, http))
    expect(urls).toEqual([address])
  })
})

describe('what AWS says no with', () => {
  const wrong: readonly (readonly [Settings, string, string])[] = [
    [{ TATUM_KMS_AWS_SECRET_NAME: 'other' }, 'has no secret of this name', 'SECRET_NAME'],
    [{ TATUM_KMS_AWS_ACCESS_KEY_ID: 'AKIAOTHER' }, 'does not know the access key', 'ACCESS_KEY_ID'],
    [{ TATUM_KMS_AWS_SECRET_ACCESS_KEY: 'other' }, 'does not accept the signature', 'clock'],
    [{ TATUM_KMS_AWS_REGION: 'us-east-1' }, 'does not accept the signature', 'REGION'],
    [{ TATUM_KMS_AWS_SESSION_TOKEN: 'old' }, 'credentials have expired', 'SESSION_TOKEN'],
  ]
  test.each(wrong)('%j', async (changed, message, hint) => {
    const refusal = await rejectionOf(() => ask('aws', changed))
    expect(refusal.code).toBe('usage')
    expect(refusal.message).toContain(message)
    expect(refusal.hint).toContain(hint)
    expect(fake.asked).toEqual(['POST /'])
  })

  test('an unknown reason is not repeated: it may be anything', async () => {
    const answer = { __type: 'constructor', message: aws.keys.id }
    fake.instead = () => Response.json(answer, { status: 400 })
    const refusal = await rejectionOf(() => ask('aws'))
    expect(refusal.message).toBe('AWS Secrets Manager refused the request (400)')
  })
})

describe('who we are to Azure', () => {
  const asked = (more: Settings): Promise<string> =>
    askHere(
      'azure',
      { ...without(settings.azure, 'AZURE_CLIENT_SECRET'), ...more },
      testHttp(fake.cert),
    )

  test('a token file (workload identity)', async () => {
    const path = tokenFile('federated', azure.federatedToken)
    expect(await asked({ AZURE_FEDERATED_TOKEN_FILE: path })).toBe(password)
    expect(fake.asked).toEqual([
      `POST /${azure.tenant}/oauth2/v2.0/token`,
      `GET /secrets/${azure.secretName}`,
    ])
  })

  test('the identity of the machine', async () => {
    expect(await asked({ AZURE_POD_IDENTITY_AUTHORITY_HOST: fake.url })).toBe(password)
    expect(fake.asked[0]).toBe('GET /metadata/identity/oauth2/token')
  })

  test('a version of the secret', async () => {
    const version = { TATUM_KMS_AZURE_SECRETVERSION: azure.version }
    expect(await ask('azure', version)).toBe(password)
    expect(fake.asked[1]).toBe(`GET /secrets/${azure.secretName}/${azure.version}`)
  })

  test.each([
    [{ AZURE_CLIENT_SECRET: 'other' }, 'the login service of Azure refused access (401)', 'SECRET'],
    [{ TATUM_KMS_AZURE_SECRETNAME: 'x' }, 'Azure Key Vault does not know what was', 'SECRETNAME'],
    [{ TATUM_KMS_AZURE_VAULTURL: 'https://a b' }, 'is not the address of a vault', 'vault.azure'],
  ] as const)('%j is refused', async (changed, message, hint) => {
    const refusal = await rejectionOf(() => ask('azure', changed))
    expect(refusal.code).toBe('usage')
    expect(refusal.message).toContain(message)
    expect(refusal.hint).toContain(hint)
  })

  test.each([
    ['kms.vault.azure.net', 'https://vault.azure.net'],
    ['https://kms.vault.azure.net/', 'https://vault.azure.net'],
    ['kms.vault.azure.cn', 'https://vault.azure.cn'],
    ['kms.vault.usgovcloudapi.net', 'https://vault.usgovcloudapi.net'],
  ])('a token for %s is for %s', async (vault, audience) => {
    const asked: string[] = []
    const http = async ({ url, body }: HttpRequest) => {
      asked.push(new URLSearchParams(body).get('scope') ?? new URL(url).origin)
      return { status: 200, headers: new Headers(), text: '{"access_token":"t","value":"v"}' }
    }
    await askHere('azure', { ...settings.azure, TATUM_KMS_AZURE_VAULTURL: vault }, http)
    const host = vault.replace(/^https:\/\/|\/$/g, '')
    expect(asked).toEqual([`${audience}/.default`, `https://${host}`])
  })
})

describe('who we are to HashiCorp Vault', () => {
  test('a role (AppRole), in a namespace', async () => {
    const given = {
      ...without(settings.hashicorp, 'VAULT_TOKEN'),
      VAULT_ROLE_ID: hashicorp.roleId,
      VAULT_SECRET_ID: hashicorp.secretId,
      VAULT_NAMESPACE: hashicorp.namespace,
    }
    expect(await askHere('hashicorp', given, testHttp(fake.cert))).toBe(password)
    expect(fake.asked).toEqual(['POST /v1/auth/approle/login', `GET /v1/${hashicorp.path}`])
    const wrong = { ...given, VAULT_SECRET_ID: hashicorp.roleId }
    const refusal = await rejectionOf(() => askHere('hashicorp', wrong, testHttp(fake.cert)))
    expect(refusal.message).toBe('HashiCorp Vault refused the request (400)')
    expect(refusal.hint).toContain('VAULT_SECRET_ID')
  })

  test('nobody: the variables are named', async () => {
    const given = without(settings.hashicorp, 'VAULT_TOKEN')
    const refusal = await rejectionOf(() => askHere('hashicorp', given, testHttp(fake.cert)))
    expect(refusal.message).toBe('neither VAULT_TOKEN nor VAULT_ROLE_ID is set')
  })

  test.each(['', 'secret/kms', 'data/kms', 'secret/data', 'a/../data/b', 'a//data/b', './data/b'])(
    'a path %j is not asked for',
    async path => {
      const refusal = await rejectionOf(() => ask('hashicorp', { TATUM_KMS_HASHICORP_PATH: path }))
      expect(refusal.code).toBe('usage')
      expect(refusal.message).toContain('TATUM_KMS_HASHICORP_PATH is not')
      expect(fake.asked).toEqual([])
    },
  )

  test('a path is sent as the API has it', async () => {
    await ask('hashicorp', { TATUM_KMS_HASHICORP_PATH: '/secret/data/a?b#c%2f/' }).catch(() => {})
    expect(fake.asked).toEqual(['GET /v1/secret/data/a%3Fb%23c%252f'])
  })
})

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

  test.each([
    [{ SecretString: 'hunter2hunter2' }, 'is not a JSON object'],
    [{ SecretString: '["hunter2hunter2"]' }, 'is not a JSON object'],
    [{ SecretBinary: 'aHVudGVyMmh1bnRlcjI=' }, 'is binary'],
  ])('aws: %j', async (answer, complaint) => {
    fake.instead = () => Response.json(answer)
    const refusal = await rejectionOf(() => ask('aws'))
    expect(refusal.code).toBe('usage')
    expect(refusal.message).toEndWith(complaint)
    expectSilence(refusal, 'hunter2hunter2')
  })
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
