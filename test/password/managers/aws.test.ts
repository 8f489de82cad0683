import { afterAll, afterEach, describe, expect, test } from 'bun:test'
import type { HttpRequest } from '../../../src/base/http.ts'
import { askHere, testHttp, tokenFile } from '../../support/ask-manager.ts'
import { aws } from '../../support/fake-managers/fake-aws.ts'
import { startFakeManagers } from '../../support/fake-managers/server.ts'
import { type Settings, settingsFor, without } from '../../support/fake-managers/variables.ts'
import { expectSilence, rejectionOf } from '../../support/secret.ts'

const password = 'correct hörse "battery" \\ staple 🐴'
const fake = startFakeManagers(password)
const settings = settingsFor(fake.url)

afterEach(() => {
  fake.instead = undefined
  fake.asked.length = 0
})
afterAll(() => fake[Symbol.dispose]())

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
    const path = tokenFile(fake, 'web-token', aws.webToken)
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
    const path = tokenFile(fake, 'container-token', aws.containerToken)
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
      const refusal = await rejectionOf(() => askHere('aws', all, nobody))
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
    const refusal = await rejectionOf(() => ask(changed))
    expect(refusal.code).toBe('usage')
    expect(refusal.message).toContain(message)
    expect(refusal.hint).toContain(hint)
    expect(fake.asked).toEqual(['POST /'])
  })

  test('an unknown reason is not repeated: it may be anything', async () => {
    const answer = { __type: 'constructor', message: aws.keys.id }
    fake.instead = () => Response.json(answer, { status: 400 })
    const refusal = await rejectionOf(() => ask())
    expect(refusal.message).toBe('AWS Secrets Manager refused the request (400)')
  })
})

describe('a secret of AWS that has no members', () => {
  test.each([
    [{ SecretString: 'hunter2hunter2' }, 'is not a JSON object'],
    [{ SecretString: '["hunter2hunter2"]' }, 'is not a JSON object'],
    [{ SecretBinary: 'aHVudGVyMmh1bnRlcjI=' }, 'is binary'],
  ])('%j', async (answer, complaint) => {
    fake.instead = () => Response.json(answer)
    const refusal = await rejectionOf(() => ask())
    expect(refusal.code).toBe('usage')
    expect(refusal.message).toEndWith(complaint)
    expectSilence(refusal, 'hunter2hunter2')
  })
})

function ask(changed: Settings = {}): Promise<string> {
  return askHere('aws', { ...settings.aws, ...changed }, testHttp(fake.cert))
}

async function nobody(): Promise<never> {
  throw new Error('it was sent')
}
