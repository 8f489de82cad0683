import type { Received } from './signature.ts'

export const hashicorp = {
  token: 'hvs.fakeVaultToken-CAESIJ4k2m9Qx7',
  roleToken: 'hvs.fakeRoleToken-CAESIB8n3p5Rw1',
  roleId: '59d6d1ca-47bb-4e7e-a40b-8be3bc5a0ba8',
  secretId: '84896a0c-1347-aa90-a4f6-aca8b7558780',
  namespace: 'team a/kms',
  path: 'secret/data/kms/vault',
  member: 'password',
} as const

export function answerHashicorp(
  { method, path, headers, body }: Received,
  password: string,
): Response | undefined {
  if (!path.startsWith('/v1/')) return undefined
  const namespace = headers.get('x-vault-namespace')
  if (namespace !== null && namespace !== hashicorp.namespace) return refuse(404)
  if (headers.get('x-vault-request') !== 'true') return refuse(400)
  if (path === '/v1/auth/approle/login') {
    const { role_id, secret_id } = JSON.parse(body)
    const isRight = role_id === hashicorp.roleId && secret_id === hashicorp.secretId
    if (method !== 'POST' || !isRight) return refuse(400)
    return Response.json({ auth: { client_token: hashicorp.roleToken, lease_duration: 1200 } })
  }
  const { token, roleToken } = hashicorp
  if (![token, roleToken].some(known => known === headers.get('x-vault-token'))) return refuse(403)
  if (path !== `/v1/${hashicorp.path}`) return refuse(404)
  const data = { user: 'kms', [hashicorp.member]: password }
  return Response.json({ data: { data, metadata: { version: 3, destroyed: false } } })
}

function refuse(status: number): Response {
  return Response.json({ errors: ['no'] }, { status })
}
