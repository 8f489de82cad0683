import { type Asking, askForRecord, isLinkLocal, requireVariables, textMember } from './asking.ts'

const defaultLogin = 'https://login.microsoftonline.com'
const defaultMetadata = 'http://169.254.169.254'
const metadataTimeoutMs = 2_000

/**
 * An access token for `resource`: for a client secret, for a token file (workload identity), or else
 * for the identity of the machine we run on. The order is that of Microsoft's own libraries.
 */
export async function azureToken(asking: Asking<'azure'>, resource: string): Promise<string> {
  const secret = asking.variable('AZURE_CLIENT_SECRET')
  if (secret !== undefined) {
    return logIn(asking, resource, {
      proof: { client_secret: secret },
      check: 'check AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET',
    })
  }
  const token = asking.fileOf('AZURE_FEDERATED_TOKEN_FILE')
  if (token !== undefined) {
    return logIn(asking, resource, {
      // RFC 7523, 2.2
      proof: {
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: token,
      },
      check: 'check AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_FEDERATED_TOKEN_FILE',
    })
  }
  return machineToken(asking, resource)
}

type LogIn = { readonly proof: Readonly<Record<string, string>>; readonly check: string }

async function logIn(
  asking: Asking<'azure'>,
  resource: string,
  { proof, check }: LogIn,
): Promise<string> {
  const value = requireVariables(asking, ['AZURE_TENANT_ID', 'AZURE_CLIENT_ID'])
  const base = (asking.variable('AZURE_AUTHORITY_HOST') ?? defaultLogin).replace(/\/+$/, '')
  const question = { label: 'the login service of Azure', check }
  const answer = await askForRecord(asking, {
    ...question,
    method: 'POST',
    url: `${base}/${encodeURIComponent(value('AZURE_TENANT_ID'))}/oauth2/v2.0/token`,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: value('AZURE_CLIENT_ID'),
      scope: `${resource}/.default`,
      ...proof,
    }).toString(),
  })
  return textMember(answer, 'access_token', question)
}

/** The instance metadata service; a client id chooses among several identities. */
async function machineToken(asking: Asking<'azure'>, resource: string): Promise<string> {
  const host = asking.variable('AZURE_POD_IDENTITY_AUTHORITY_HOST') ?? defaultMetadata
  const client = asking.variable('AZURE_CLIENT_ID')
  const query = new URLSearchParams({
    'api-version': '2018-02-01',
    resource,
    ...(client !== undefined && { client_id: client }),
  })
  const question = {
    label: 'the metadata service of Azure',
    check:
      'give the machine a managed identity, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET',
  }
  const answer = await askForRecord(asking, {
    ...question,
    method: 'GET',
    url: `${host.replace(/\/+$/, '')}/metadata/identity/oauth2/token?${query}`,
    insecureHttp: isLinkLocal(host),
    headers: { metadata: 'true' },
    timeoutMs: metadataTimeoutMs,
  })
  return textMember(answer, 'access_token', question)
}
