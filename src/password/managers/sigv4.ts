import { createHash, createHmac } from 'node:crypto'

export type AwsCredentials = {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Comes with credentials that are good for a while only. */
  readonly sessionToken?: string | undefined
}

/** Our requests have no query, and a path that needs no escaping. */
export type Unsigned = {
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly region: string
  readonly service: string
  /** Milliseconds since 1970: AWS takes a signature for five minutes. */
  readonly now: number
}

const algorithm = 'AWS4-HMAC-SHA256'

/** The request's headers with a signature of AWS, version 4, and what belongs to one. */
export function signedHeaders(
  request: Unsigned,
  credentials: AwsCredentials,
): Readonly<Record<string, string>> {
  const { headers, region, service, now } = request
  const { accessKeyId, secretAccessKey, sessionToken } = credentials
  const date = new Date(now).toISOString().replace(/[-:]|\.\d{3}/g, '')
  const day = date.slice(0, 8)
  const all = {
    ...headers,
    'x-amz-date': date,
    ...(sessionToken !== undefined && { 'x-amz-security-token': sessionToken }),
  }
  const { text, names } = canonicalRequest(request, all)
  const scope = [day, region, service, 'aws4_request']
  const toSign = [algorithm, date, scope.join('/'), sha256(text)].join('\n')
  const key = scope.reduce(hmac, Buffer.from(`AWS4${secretAccessKey}`))
  const signature = hmac(key, toSign).toString('hex')
  const credential = `${accessKeyId}/${scope.join('/')}`
  return {
    ...all,
    authorization: `${algorithm} Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`,
  }
}

/** "Create a canonical request" of the AWS documentation; the host is a header that fetch adds. */
function canonicalRequest(
  { method, url, body }: Unsigned,
  headers: Readonly<Record<string, string>>,
): { readonly text: string; readonly names: string } {
  const lines = Object.entries({ ...headers, host: url.host })
    .map(([name, value]) => [name.toLowerCase(), value.trim().replace(/ +/g, ' ')] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  const names = lines.map(([name]) => name).join(';')
  const block = lines.map(line => `${line.join(':')}\n`).join('')
  return { text: [method, url.pathname, '', block, names, sha256(body)].join('\n'), names }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
