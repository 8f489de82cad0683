import { KmsError } from '../../base/errors.ts'
import { asRecord, parseJson } from '../../base/json.ts'
import {
  type Asking,
  ask,
  askForRecord,
  isLinkLocal,
  type Question,
  requireVariables,
  textMember,
  unreadable,
} from './asking.ts'
import { awsHost } from './aws-host.ts'
import type { AwsCredentials } from './sigv4.ts'

type AskingAws = Asking<'aws'>

/**
 * Who we are to AWS: the keys that were given, else what the platform says, in the order of AWS's
 * own libraries: a token file (IRSA of EKS), a container's endpoint (ECS, EKS), the instance (EC2).
 */
export async function awsCredentials(asking: AskingAws, region: string): Promise<AwsCredentials> {
  const { variable } = asking
  const given = [
    variable('TATUM_KMS_AWS_ACCESS_KEY_ID'),
    variable('TATUM_KMS_AWS_SECRET_ACCESS_KEY'),
  ]
  if (given.some(value => value !== undefined)) return givenKeys(asking)
  const token = asking.fileOf('AWS_WEB_IDENTITY_TOKEN_FILE')
  if (token !== undefined) return ofWebIdentity(asking, region, token)
  const container = containerUrl(asking)
  return container === undefined ? ofInstance(asking) : ofContainer(asking, container)
}

function givenKeys(asking: AskingAws): AwsCredentials {
  const value = requireVariables(asking, [
    'TATUM_KMS_AWS_ACCESS_KEY_ID',
    'TATUM_KMS_AWS_SECRET_ACCESS_KEY',
  ])
  return {
    accessKeyId: value('TATUM_KMS_AWS_ACCESS_KEY_ID'),
    secretAccessKey: value('TATUM_KMS_AWS_SECRET_ACCESS_KEY'),
    sessionToken: asking.variable('TATUM_KMS_AWS_SESSION_TOKEN'),
  }
}

/** AssumeRoleWithWebIdentity of STS, which is not signed: the token is the proof. */
async function ofWebIdentity(
  asking: AskingAws,
  region: string,
  token: string,
): Promise<AwsCredentials> {
  const value = requireVariables(asking, ['AWS_ROLE_ARN'])
  const question = {
    label: 'AWS STS',
    check: 'check AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE and the trust policy of the role',
  }
  const text = await ask(asking, {
    ...question,
    method: 'POST',
    url: awsHost('sts', region, asking.variable('AWS_ENDPOINT_URL_STS')).href,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      Action: 'AssumeRoleWithWebIdentity',
      Version: '2011-06-15',
      RoleArn: value('AWS_ROLE_ARN'),
      RoleSessionName: asking.variable('AWS_ROLE_SESSION_NAME') ?? 'tatum-kms',
      WebIdentityToken: token,
    }).toString(),
  })
  const element = (name: string): string => xmlElement(text, name, question)
  return {
    accessKeyId: element('AccessKeyId'),
    secretAccessKey: element('SecretAccessKey'),
    sessionToken: element('SessionToken'),
  }
}

/** None of the three elements holds anything but base64 and letters. */
function xmlElement(
  xml: string,
  name: string,
  question: Pick<Question, 'label' | 'check'>,
): string {
  const [, content = ''] = new RegExp(`<${name}>([\\w+/=\\s]+)</${name}>`).exec(xml) ?? []
  const value = content.replace(/\s/g, '')
  if (value === '') throw unreadable(question)
  return value
}

/** ECS names a path on its own address, EKS a whole address. */
function containerUrl({ variable }: AskingAws): string | undefined {
  const path = variable('AWS_CONTAINER_CREDENTIALS_RELATIVE_URI')
  // Anything else in front of the path would become part of the host.
  if (path !== undefined && !path.startsWith('/')) {
    throw new KmsError('usage', 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with /')
  }
  if (path !== undefined) return `http://169.254.170.2${path}`
  return variable('AWS_CONTAINER_CREDENTIALS_FULL_URI')
}

async function ofContainer(asking: AskingAws, url: string): Promise<AwsCredentials> {
  const token =
    asking.fileOf('AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE') ??
    asking.variable('AWS_CONTAINER_AUTHORIZATION_TOKEN')
  const question = {
    label: 'the credentials service of the container',
    check: 'check that the task or pod has a role',
  }
  const answer = await askForRecord(asking, {
    ...question,
    method: 'GET',
    url,
    insecureHttp: isLinkLocal(url),
    ...(token !== undefined && { headers: { authorization: token } }),
  })
  return credentialsIn(answer, question)
}

const defaultMetadata = 'http://169.254.169.254'
const metadataTimeoutMs = 2_000
const tokenSeconds = '60'

/** The instance metadata service, version 2: a token first, then the name of the role, then its keys. */
async function ofInstance(asking: AskingAws): Promise<AwsCredentials> {
  const given = asking.variable('AWS_EC2_METADATA_SERVICE_ENDPOINT') ?? defaultMetadata
  const base = `${given.replace(/\/+$/, '')}/latest`
  const question = {
    label: 'the metadata service of EC2',
    check:
      'give the instance a role, or set TATUM_KMS_AWS_ACCESS_KEY_ID and TATUM_KMS_AWS_SECRET_ACCESS_KEY',
    timeoutMs: metadataTimeoutMs,
    insecureHttp: isLinkLocal(given),
  }
  const token = await ask(asking, {
    ...question,
    method: 'PUT',
    url: `${base}/api/token`,
    headers: { 'x-aws-ec2-metadata-token-ttl-seconds': tokenSeconds },
  })
  const get = (path: string): Promise<string> =>
    ask(asking, {
      ...question,
      method: 'GET',
      url: `${base}/meta-data/iam/security-credentials/${path}`,
      headers: { 'x-aws-ec2-metadata-token': token.trim() },
    })
  const [role = ''] = (await get('')).split('\n')
  if (!/^[\w+=,.@-]{1,64}$/.test(role.trim())) throw unreadable(question)
  return credentialsIn(asRecord(parseJson(await get(role.trim()))), question)
}

function credentialsIn(
  answer: ReadonlyMap<string, unknown> | undefined,
  question: Pick<Question, 'label' | 'check'>,
): AwsCredentials {
  return {
    accessKeyId: textMember(answer, 'AccessKeyId', question),
    secretAccessKey: textMember(answer, 'SecretAccessKey', question),
    sessionToken: textMember(answer, 'Token', question),
  }
}
