import { KmsError } from '../../base/errors.ts'
import { asRecord, asString, encodeJson, parseJson } from '../../base/json.ts'
import {
  type AskManager,
  askForRecord,
  passwordText,
  requireVariables,
  unreadable,
} from './asking.ts'
import { awsCredentials } from './aws-credentials.ts'
import { awsHost } from './aws-host.ts'
import { managers } from './names.ts'
import { signedHeaders } from './sigv4.ts'

const service = 'secretsmanager'
const { label } = managers.aws
const check =
  'check TATUM_KMS_AWS_REGION, TATUM_KMS_AWS_SECRET_NAME and the permissions of the identity'

/** A member of the JSON that a secret holds. */
export const askAws: AskManager<'aws'> = async asking => {
  const value = requireVariables(asking, [
    'TATUM_KMS_AWS_REGION',
    'TATUM_KMS_AWS_SECRET_NAME',
    'TATUM_KMS_AWS_SECRET_KEY',
  ])
  const region = value('TATUM_KMS_AWS_REGION')
  const url = awsHost(service, region, asking.variable('AWS_ENDPOINT_URL_SECRETS_MANAGER'))
  const credentials = await awsCredentials(asking, region)
  const body = encodeJson({ SecretId: value('TATUM_KMS_AWS_SECRET_NAME') })
  const headers = {
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': 'secretsmanager.GetSecretValue',
  }
  const request = {
    method: 'POST',
    url,
    headers,
    body,
    region,
    service,
    now: asking.now(),
  } as const
  const answer = await askForRecord(asking, {
    ...request,
    url: url.href,
    label,
    headers: signedHeaders(request, credentials),
    check,
    explain,
  })
  const secret = asString(answer.get('SecretString'))
  if (answer.has('SecretBinary')) throw notMembers('is binary')
  if (secret === undefined) throw unreadable({ label, check })
  const members = asRecord(parseJson(secret))
  if (members === undefined) throw notMembers('is not a JSON object')
  return passwordText(
    members.get(value('TATUM_KMS_AWS_SECRET_KEY')),
    'the member of the secret that TATUM_KMS_AWS_SECRET_KEY names',
    'check TATUM_KMS_AWS_SECRET_KEY and the secret itself',
  )
}

function notMembers(fault: string): KmsError {
  return new KmsError('usage', `the secret in ${label} ${fault}`, {
    hint: 'store the password as a member of a JSON object; TATUM_KMS_AWS_SECRET_KEY names it',
  })
}

const keys = 'TATUM_KMS_AWS_ACCESS_KEY_ID and TATUM_KMS_AWS_SECRET_ACCESS_KEY'

/** What AWS says no with, by name, and what helps. Of the answer itself nothing is repeated. */
const refusals: Readonly<Record<string, readonly [message: string, hint: string]>> = {
  ResourceNotFoundException: [
    `${label} has no secret of this name in this region`,
    'check TATUM_KMS_AWS_SECRET_NAME and TATUM_KMS_AWS_REGION',
  ],
  AccessDeniedException: [
    `${label} does not let this identity read the secret`,
    'allow it secretsmanager:GetSecretValue, and kms:Decrypt for a key of your own',
  ],
  UnrecognizedClientException: [`${label} does not know the access key`, `check ${keys}`],
  InvalidSignatureException: [
    `${label} does not accept the signature`,
    `check ${keys}, TATUM_KMS_AWS_REGION and the clock of this machine`,
  ],
  ExpiredTokenException: [
    `${label} says that the credentials have expired`,
    'renew TATUM_KMS_AWS_SESSION_TOKEN and the keys that belong to it',
  ],
  DecryptionFailure: [
    `${label} cannot decrypt the secret`,
    'check the KMS key of the secret and its permissions',
  ],
  InvalidRequestException: [
    `${label} cannot show the secret`,
    'check that it is not about to be deleted and has a current version',
  ],
}

function explain(text: string): KmsError | undefined {
  const type = asString(asRecord(parseJson(text))?.get('__type')) ?? ''
  // Some services put a namespace in front: "com.amazon.coral.service#AccessDeniedException".
  const name = type.slice(type.lastIndexOf('#') + 1)
  const [message, hint] = (Object.hasOwn(refusals, name) && refusals[name]) || []
  return message === undefined || hint === undefined
    ? undefined
    : new KmsError('usage', message, { hint })
}
