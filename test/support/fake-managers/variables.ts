import { aws } from './fake-aws.ts'
import { azure } from './fake-azure.ts'
import { hashicorp } from './fake-hashicorp.ts'
import { vgs } from './fake-vgs.ts'

export type Settings = Readonly<Record<string, string>>

/** What somebody sets to get the password from each of the fake managers at `url`. */
export function settingsFor(
  url: string,
): Readonly<Record<'aws' | 'azure' | 'vgs' | 'hashicorp', Settings>> {
  return {
    aws: {
      AWS_ENDPOINT_URL_SECRETS_MANAGER: url,
      TATUM_KMS_AWS_REGION: aws.region,
      TATUM_KMS_AWS_SECRET_NAME: aws.secretName,
      TATUM_KMS_AWS_SECRET_KEY: aws.member,
      TATUM_KMS_AWS_ACCESS_KEY_ID: aws.keys.id,
      TATUM_KMS_AWS_SECRET_ACCESS_KEY: aws.keys.secret,
    },
    azure: {
      AZURE_AUTHORITY_HOST: url,
      TATUM_KMS_AZURE_VAULTURL: url,
      TATUM_KMS_AZURE_SECRETNAME: azure.secretName,
      AZURE_TENANT_ID: azure.tenant,
      AZURE_CLIENT_ID: azure.client,
      AZURE_CLIENT_SECRET: azure.secret,
    },
    vgs: {
      TATUM_KMS_VGS_URL: url,
      TATUM_KMS_VGS_ALIAS: vgs.alias,
      TATUM_KMS_VGS_USERNAME: vgs.username,
      TATUM_KMS_VGS_PASSWORD: vgs.password,
    },
    hashicorp: {
      VAULT_ADDR: url,
      VAULT_TOKEN: hashicorp.token,
      TATUM_KMS_HASHICORP_PATH: hashicorp.path,
      TATUM_KMS_HASHICORP_KEY: hashicorp.member,
    },
  }
}

/** `settings` without these names. */
export function without(settings: Settings, ...names: readonly string[]): Settings {
  return Object.fromEntries(Object.entries(settings).filter(([name]) => !names.includes(name)))
}
