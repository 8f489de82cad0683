import type { Received } from './signature.ts'

export const azure = {
  tenant: '72f988bf-86f1-41af-91ab-2d7cd011db47',
  client: 'fad7d5b3-69d6-4b48-9259-8d11124e1cf1',
  secret: 'fake~Client.Secret-4c1d90b7e2f6',
  federatedToken: 'eyJhbGciOiJSUzI1NiJ9.fake-federated.c2lnbmF0dXJl',
  accessToken: 'eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.fake-access.c2ln',
  secretName: 'kms-vault-password',
  version: '4387e9f3d6e14c459867679a90fd0f79',
} as const

const audience = 'https://vault.azure.net'

/** The login service, the metadata service and a vault. */
export function answerAzure(received: Received, password: string): Response | undefined {
  const { path } = received
  if (path === `/${azure.tenant}/oauth2/v2.0/token`) return logIn(received)
  if (path.startsWith('/metadata/identity/oauth2/token?')) return metadata(received)
  if (path.startsWith('/secrets/')) return vault(received, password)
  return undefined
}

function logIn({ method, headers, body }: Received): Response {
  const form = new URLSearchParams(body)
  const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
  const isProved =
    form.get('client_secret') === azure.secret ||
    (form.get('client_assertion_type') === assertionType &&
      form.get('client_assertion') === azure.federatedToken)
  const isRight =
    method === 'POST' &&
    headers.get('content-type') === 'application/x-www-form-urlencoded' &&
    form.get('grant_type') === 'client_credentials' &&
    form.get('client_id') === azure.client &&
    form.get('scope') === `${audience}/.default`
  if (!isRight || !isProved) return Response.json({ error: 'invalid_client' }, { status: 401 })
  return Response.json({ token_type: 'Bearer', expires_in: 3599, access_token: azure.accessToken })
}

function metadata({ path, headers }: Received): Response {
  const query = new URLSearchParams(path.split('?')[1])
  const isRight =
    headers.get('metadata') === 'true' &&
    query.get('api-version') === '2018-02-01' &&
    query.get('resource') === audience
  if (!isRight) return Response.json({ error: 'invalid_request' }, { status: 400 })
  return Response.json({ access_token: azure.accessToken, expires_in: '3599', resource: audience })
}

function vault({ method, path, headers }: Received, password: string): Response {
  if (headers.get('authorization') !== `Bearer ${azure.accessToken}`) {
    return Response.json({ error: { code: 'Unauthorized' } }, { status: 401 })
  }
  const { secretName, version } = azure
  const known = [`/secrets/${secretName}`, `/secrets/${secretName}/${version}`]
  if (method !== 'GET' || !known.includes(path.replace(/\?api-version=7\.\d$/, ''))) {
    return Response.json({ error: { code: 'SecretNotFound' } }, { status: 404 })
  }
  return Response.json({ value: password, id: `https://kms.vault.azure.net${path}` })
}
