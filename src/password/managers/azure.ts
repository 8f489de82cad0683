import { KmsError } from '../../base/errors.ts'
import { type AskManager, askForRecord, passwordText, requireVariables } from './asking.ts'
import { azureToken } from './azure-token.ts'
import { managers } from './names.ts'

const apiVersion = '7.1'

/** The latest version of a secret, or the one that is named. */
export const askAzure: AskManager<'azure'> = async asking => {
  const value = requireVariables(asking, ['TATUM_KMS_AZURE_VAULTURL', 'TATUM_KMS_AZURE_SECRETNAME'])
  const base = vaultAddress(value('TATUM_KMS_AZURE_VAULTURL'))
  const version = asking.variable('TATUM_KMS_AZURE_SECRETVERSION')
  const path = ['secrets', value('TATUM_KMS_AZURE_SECRETNAME'), ...(version ? [version] : [])]
  const question = {
    label: managers.azure.label,
    check:
      'check TATUM_KMS_AZURE_VAULTURL, TATUM_KMS_AZURE_SECRETNAME, TATUM_KMS_AZURE_SECRETVERSION, and that the identity may read secrets',
  }
  const token = await azureToken(asking, resourceOf(base))
  const answer = await askForRecord(asking, {
    ...question,
    method: 'GET',
    url: `${base.origin}/${path.map(encodeURIComponent).join('/')}?api-version=${apiVersion}`,
    headers: { authorization: `Bearer ${token}` },
  })
  return passwordText(answer.get('value'), 'the value of the secret', question.check)
}

/** The original puts https:// in front by itself; the portal shows the address with it. */
function vaultAddress(text: string): URL {
  const url = URL.parse(/^https?:\/\//i.test(text) ? text : `https://${text}`)
  if (url !== null) return url
  throw new KmsError('usage', 'TATUM_KMS_AZURE_VAULTURL is not the address of a vault', {
    hint: 'such as https://NAME.vault.azure.net',
  })
}

/** Whom a token is for: Key Vault as a whole, by the cloud the vault is in. */
function resourceOf({ hostname }: URL): string {
  const clouds = ['vault.azure.net', 'vault.azure.cn', 'vault.usgovcloudapi.net']
  const cloud = clouds.find(domain => hostname.endsWith(`.${domain}`)) ?? 'vault.azure.net'
  return `https://${cloud}`
}
