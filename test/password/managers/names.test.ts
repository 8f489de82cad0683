import { expect, test } from 'bun:test'
import {
  findManager,
  managerNames,
  managers,
  secretVariables,
} from '../../../src/password/managers/names.ts'

const all: readonly string[] = managerNames.flatMap(name => [...managers[name].variables])

test('whatever sounds like a secret is never printed', () => {
  // The names of a member of a secret and of a secret itself are none.
  const harmless = [
    'TATUM_KMS_AWS_SECRET_KEY',
    'TATUM_KMS_HASHICORP_KEY',
    'TATUM_KMS_AWS_SECRET_NAME',
    'TATUM_KMS_AZURE_SECRETNAME',
    'TATUM_KMS_AZURE_SECRETVERSION',
    'AWS_ENDPOINT_URL_SECRETS_MANAGER',
  ]
  const suspicious = all.filter(
    name => /SECRET|TOKEN|PASSWORD|KEY/.test(name) && !/FILE$/.test(name),
  )
  const secret: readonly string[] = secretVariables
  const printed = suspicious.filter(name => !secret.includes(name))
  expect(printed.toSorted()).toEqual(harmless.toSorted())
})

test('no two managers share a variable but the authorities', () => {
  const shared = all.filter((name, i) => all.indexOf(name) !== i)
  expect([...new Set(shared)]).toEqual(['TATUM_KMS_MANAGER_CA_FILE'])
})

test('nothing but its name is a manager', () => {
  expect(managerNames.map(findManager)).toEqual([...managerNames])
  for (const name of ['', 'AWS', '__proto__', 'constructor'])
    expect(findManager(name)).toBeUndefined()
})
