import { KmsError } from '../../base/errors.ts'
import { secureUrl } from '../../base/http.ts'

/** Where a service of AWS is in a region, unless the owner says otherwise. */
export function awsHost(service: string, region: string, given: string | undefined): URL {
  if (given !== undefined) return secureUrl(given, { label: `AWS ${service}` })
  // It becomes a part of a host name: nothing else may.
  if (!/^[a-z]{2}(-[a-z]{2,12}){1,3}-\d{1,2}$/.test(region)) {
    throw new KmsError('usage', 'TATUM_KMS_AWS_REGION is not the name of a region', {
      hint: 'such as us-east-1',
    })
  }
  const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'
  return new URL(`https://${service}.${region}.${domain}/`)
}
