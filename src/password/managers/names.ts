/**
 * The secret managers that can keep the vault's password, and every variable each goes by: those of
 * the original tatum-kms where it has one, else the usual ones of the vendor. The process that asks
 * a manager is told these and nothing else.
 */

/** A file with the only authorities to trust, for all of them. */
export const authorities = 'TATUM_KMS_MANAGER_CA_FILE'

export const managers = {
  aws: {
    label: 'AWS Secrets Manager',
    variables: [
      'TATUM_KMS_AWS_REGION',
      'TATUM_KMS_AWS_SECRET_NAME',
      'TATUM_KMS_AWS_SECRET_KEY',
      'TATUM_KMS_AWS_ACCESS_KEY_ID',
      'TATUM_KMS_AWS_SECRET_ACCESS_KEY',
      'TATUM_KMS_AWS_SESSION_TOKEN',
      'AWS_ROLE_ARN',
      'AWS_ROLE_SESSION_NAME',
      'AWS_WEB_IDENTITY_TOKEN_FILE',
      'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
      'AWS_CONTAINER_CREDENTIALS_FULL_URI',
      'AWS_CONTAINER_AUTHORIZATION_TOKEN',
      'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE',
      'AWS_EC2_METADATA_SERVICE_ENDPOINT',
      'AWS_ENDPOINT_URL_SECRETS_MANAGER',
      'AWS_ENDPOINT_URL_STS',
      authorities,
    ],
  },
  azure: {
    label: 'Azure Key Vault',
    variables: [
      'TATUM_KMS_AZURE_VAULTURL',
      'TATUM_KMS_AZURE_SECRETNAME',
      'TATUM_KMS_AZURE_SECRETVERSION',
      'AZURE_TENANT_ID',
      'AZURE_CLIENT_ID',
      'AZURE_CLIENT_SECRET',
      'AZURE_FEDERATED_TOKEN_FILE',
      'AZURE_AUTHORITY_HOST',
      'AZURE_POD_IDENTITY_AUTHORITY_HOST',
      authorities,
    ],
  },
  vgs: {
    label: 'the VGS vault',
    variables: [
      'TATUM_KMS_VGS_ALIAS',
      'TATUM_KMS_VGS_USERNAME',
      'TATUM_KMS_VGS_PASSWORD',
      'TATUM_KMS_VGS_URL',
      authorities,
    ],
  },
  hashicorp: {
    label: 'HashiCorp Vault',
    variables: [
      'TATUM_KMS_HASHICORP_PATH',
      'TATUM_KMS_HASHICORP_KEY',
      'VAULT_ADDR',
      'VAULT_TOKEN',
      'VAULT_ROLE_ID',
      'VAULT_SECRET_ID',
      'VAULT_NAMESPACE',
      'VAULT_CACERT',
      authorities,
    ],
  },
} as const satisfies Readonly<
  Record<string, { readonly label: string; readonly variables: readonly string[] }>
>

export type ManagerName = keyof typeof managers

/** A variable that the manager's process is told. To look up another one does not compile. */
export type VariableOf<Name extends ManagerName> = (typeof managers)[Name]['variables'][number]

/** Never printed. */
export const secretVariables: readonly VariableOf<ManagerName>[] = [
  'TATUM_KMS_AWS_ACCESS_KEY_ID',
  'TATUM_KMS_AWS_SECRET_ACCESS_KEY',
  'TATUM_KMS_AWS_SESSION_TOKEN',
  'AWS_CONTAINER_AUTHORIZATION_TOKEN',
  'AZURE_CLIENT_SECRET',
  'TATUM_KMS_VGS_USERNAME',
  'TATUM_KMS_VGS_PASSWORD',
  'VAULT_TOKEN',
  'VAULT_ROLE_ID',
  'VAULT_SECRET_ID',
]

export const managerNames: readonly ManagerName[] = ['aws', 'azure', 'vgs', 'hashicorp']

export function findManager(name: string): ManagerName | undefined {
  return managerNames.find(known => known === name)
}
