import type { Option } from './command.ts'

export const testnet: Option = {
  name: 'testnet',
  about: 'use test networks instead of main networks',
}
export const path: Option = {
  name: 'path',
  value: 'FILE',
  about: 'the vault file (default: ~/.tatumrc/wallet.dat)',
}

/** Of every command that opens the vault. */
export const vaultOptions: readonly Option[] = [
  path,
  { name: 'password-file', value: 'FILE', about: 'read the password from this file' },
  { name: 'password-fd', value: 'N', about: 'read the password from descriptor N' },
  { name: 'aws', about: 'take the password from AWS Secrets Manager' },
  { name: 'azure', about: 'take the password from Azure Key Vault' },
  { name: 'vgs', about: 'take the password from VGS' },
  { name: 'hashicorp', about: 'take the password from HashiCorp Vault' },
  { name: 'env-file', value: 'FILE', about: 'variables (default: ~/.tatumrc/.env, if there)' },
  {
    name: 'lock-wait',
    value: 'SECONDS',
    about: 'wait this long for another writer (default: 120)',
  },
  {
    name: 'secret-memory',
    value: 'auto|locked',
    about: 'locked: without memfd_secret, which forbids hibernation (default: auto)',
  },
]

export const pathStyle: Option = {
  name: 'path-style',
  value: 'NAME',
  about: "another derivation path: phantom for SOL's m/44'/501'/i'/0'",
}
export const apiKey: Option = {
  name: 'api-key',
  value: 'KEY',
  about: 'Tatum API key; better in TATUM_API_KEY',
}
export const journal: Option = {
  name: 'journal',
  value: 'FOLDER|URL',
  about: 'the journal (default: journal/ beside the vault), or postgres://USER@HOST/DATABASE',
}
export const lease: Option = {
  name: 'lease',
  value: 'SECONDS',
  about: 'of a journal in PostgreSQL: when others go on with what a daemon had (default: 30)',
}
export const insecureHttp: Option = {
  name: 'insecure-http',
  about: 'allow http to the Tatum API on another host',
}
export const share: Option = {
  name: 'share',
  value: '1/N',
  about: 'of N daemons with one policy: the Nth part of its windows is for this one',
}
export const kdfCost: Option = {
  name: 'kdf-cost',
  value: 'COST',
  about: 'scrypt of a new password: 2^COST KiB (default: 17)',
}
export const newPasswordOptions: readonly Option[] = [
  { name: 'new-password-file', value: 'FILE', about: 'read the new password from this file' },
  { name: 'new-password-fd', value: 'N', about: 'read the new password from descriptor N' },
  kdfCost,
]
export const dropOthers: Option = {
  name: 'drop-others',
  about: 'drop passwords that are not at hand instead of asking for them',
}
