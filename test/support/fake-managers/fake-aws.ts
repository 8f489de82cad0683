import { complaintAbout, type Received, type Signer } from './signature.ts'

/** Marked, and long enough for a memory scan. */
export const aws = {
  region: 'eu-central-1',
  secretName: 'prod/kms vault',
  member: 'vault password',
  keys: { id: 'AKIAFAKEFAKEFAKE0001', secret: 'fake/SecretAccessKey+7f1d20c4e8a95b36' },
  temporary: {
    id: 'ASIAFAKEFAKEFAKE0002',
    secret: 'fake/TemporaryKey+c2b5a8917d3e60f4',
    token: 'fakeSessionToken//////////wEaDNYv5Kd0kqXm1pZ2Sg==',
  },
  webToken: 'eyJhbGciOiJSUzI1NiJ9.fake-web-identity.c2lnbmF0dXJl',
  roleArn: 'arn:aws:iam::123456789012:role/kms',
  containerToken: 'fake-container-authorization-0001',
  role: 'kms-instance-role',
  metadataToken: 'fake-imdsv2-token-AQAEAL==',
} as const

/** Secrets Manager, STS, and the places where AWS hands out keys. */
export function answerAws(received: Received, password: string, now: number): Response | undefined {
  const { method, path } = received
  if (path === '/' && received.headers.has('x-amz-target'))
    return secretsManager(received, password, now)
  if (path === '/' && method === 'POST') return sts(received)
  if (path === '/container/credentials') return container(received)
  if (path.startsWith('/latest/')) return metadata(received)
  return undefined
}

function secretsManager(received: Received, password: string, now: number): Response {
  const { headers, body } = received
  const isTemporary = headers.get('authorization')?.includes(aws.temporary.id)
  const signer: Signer = isTemporary ? aws.temporary : aws.keys
  const scope = { region: aws.region, service: 'secretsmanager', now }
  const complaint = complaintAbout(received, signer, scope)
  if (complaint !== undefined) return refuse(complaint)
  if (headers.get('x-amz-target') !== 'secretsmanager.GetSecretValue')
    return refuse('UnknownOperationException')
  if (headers.get('content-type') !== 'application/x-amz-json-1.1')
    return refuse('SerializationException')
  const { SecretId } = JSON.parse(body)
  if (SecretId !== aws.secretName) return refuse('ResourceNotFoundException')
  return Response.json({
    ARN: 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod/kms-AbCdEf',
    Name: aws.secretName,
    SecretString: JSON.stringify({ user: 'kms', [aws.member]: password }),
    VersionStages: ['AWSCURRENT'],
  })
}

function refuse(type: string): Response {
  return Response.json(
    { __type: `com.amazon.coral.service#${type}`, message: 'no' },
    { status: 400 },
  )
}

function sts({ headers, body }: Received): Response {
  const form = new URLSearchParams(body)
  const isRight =
    headers.get('content-type') === 'application/x-www-form-urlencoded' &&
    form.get('Action') === 'AssumeRoleWithWebIdentity' &&
    form.get('Version') === '2011-06-15' &&
    form.get('RoleArn') === aws.roleArn &&
    form.get('RoleSessionName') === 'tatum-kms' &&
    form.get('WebIdentityToken') === aws.webToken
  if (!isRight) {
    const error = '<ErrorResponse><Error><Code>InvalidIdentityToken</Code></Error></ErrorResponse>'
    return new Response(error, { status: 400 })
  }
  const { id, secret, token } = aws.temporary
  return new Response(`<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleWithWebIdentityResult><Credentials>
    <SessionToken>
      ${token}
    </SessionToken>
    <SecretAccessKey>${secret}</SecretAccessKey>
    <Expiration>2049-10-24T23:00:23Z</Expiration>
    <AccessKeyId>${id}</AccessKeyId>
  </Credentials></AssumeRoleWithWebIdentityResult>
</AssumeRoleWithWebIdentityResponse>`)
}

function container({ headers }: Received): Response {
  if (headers.get('authorization') !== aws.containerToken) return new Response('', { status: 401 })
  return temporaryKeys()
}

function metadata({ method, path, headers }: Received): Response {
  if (path === '/latest/api/token') {
    const isRight = method === 'PUT' && headers.has('x-aws-ec2-metadata-token-ttl-seconds')
    return isRight ? new Response(aws.metadataToken) : new Response('', { status: 400 })
  }
  // Version 1 has no token; it is switched off here as it should be everywhere.
  if (headers.get('x-aws-ec2-metadata-token') !== aws.metadataToken)
    return new Response('', { status: 401 })
  const roles = '/latest/meta-data/iam/security-credentials/'
  if (path === roles) return new Response(aws.role)
  return path === roles + aws.role ? temporaryKeys() : new Response('', { status: 404 })
}

function temporaryKeys(): Response {
  const { id, secret, token } = aws.temporary
  return Response.json({
    Code: 'Success',
    AccessKeyId: id,
    SecretAccessKey: secret,
    Token: token,
    Expiration: '2049-10-24T23:00:23Z',
  })
}
