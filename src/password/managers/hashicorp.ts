import { KmsError } from '../../base/errors.ts'
import { asRecord, encodeJson } from '../../base/json.ts'
import {
  type Asking,
  type AskManager,
  askForRecord,
  passwordText,
  requireVariables,
  textMember,
} from './asking.ts'
import { managers } from './names.ts'

const { label } = managers.hashicorp

/** A member of a secret of the KV engine, version 2. */
export const askHashicorp: AskManager<'hashicorp'> = async asking => {
  const value = requireVariables(asking, [
    'VAULT_ADDR',
    'TATUM_KMS_HASHICORP_PATH',
    'TATUM_KMS_HASHICORP_KEY',
  ])
  const base = value('VAULT_ADDR').replace(/\/+$/, '')
  const path = secretPath(value('TATUM_KMS_HASHICORP_PATH'))
  const token = asking.variable('VAULT_TOKEN') ?? (await logIn(asking, base))
  const answer = await askForRecord(asking, {
    method: 'GET',
    url: `${base}/v1/${path}`,
    label,
    headers: { ...commonHeaders(asking), 'x-vault-token': token },
    check:
      'check VAULT_ADDR, TATUM_KMS_HASHICORP_PATH, and that the token is valid and its policy allows to read there',
  })
  const secret = asRecord(asRecord(answer.get('data'))?.get('data'))
  return passwordText(
    secret?.get(value('TATUM_KMS_HASHICORP_KEY')),
    'the member of the secret that TATUM_KMS_HASHICORP_KEY names',
    'check TATUM_KMS_HASHICORP_KEY and the secret itself',
  )
}

/** A token for a role (AppRole), when no token is given. */
async function logIn(asking: Asking<'hashicorp'>, base: string): Promise<string> {
  if (asking.variable('VAULT_ROLE_ID') === undefined) {
    throw new KmsError('usage', 'neither VAULT_TOKEN nor VAULT_ROLE_ID is set')
  }
  const value = requireVariables(asking, ['VAULT_ROLE_ID', 'VAULT_SECRET_ID'])
  const question = { label, check: 'check VAULT_ADDR, VAULT_ROLE_ID and VAULT_SECRET_ID' }
  const answer = await askForRecord(asking, {
    ...question,
    method: 'POST',
    url: `${base}/v1/auth/approle/login`,
    headers: { ...commonHeaders(asking), 'content-type': 'application/json' },
    body: encodeJson({
      role_id: value('VAULT_ROLE_ID'),
      secret_id: value('VAULT_SECRET_ID'),
    }),
  })
  return textMember(asRecord(answer.get('auth')), 'client_token', question)
}

/** As the API has it: the mount, `data`, the name. A path without `data` is one of version 1. */
function secretPath(text: string): string {
  const segments = text.replace(/^\/+|\/+$/g, '').split('/')
  const isPath = segments.every(segment => !['', '.', '..'].includes(segment))
  const data = segments.indexOf('data')
  if (isPath && data > 0 && data < segments.length - 1) {
    return segments.map(encodeURIComponent).join('/')
  }
  throw new KmsError('usage', 'TATUM_KMS_HASHICORP_PATH is not MOUNT/data/NAME', {
    hint: 'such as secret/data/tatum-kms: the path as the API of KV version 2 has it',
  })
}

function commonHeaders({ variable }: Asking<'hashicorp'>): Readonly<Record<string, string>> {
  const namespace = variable('VAULT_NAMESPACE')
  return {
    'x-vault-request': 'true',
    ...(namespace !== undefined && { 'x-vault-namespace': namespace }),
  }
}
