import { afterAll, afterEach, describe, expect, test } from 'bun:test'
import { askHere, testHttp } from '../../support/ask-manager.ts'
import { hashicorp } from '../../support/fake-managers/fake-hashicorp.ts'
import { startFakeManagers } from '../../support/fake-managers/server.ts'
import { type Settings, settingsFor, without } from '../../support/fake-managers/variables.ts'
import { rejectionOf } from '../../support/secret.ts'

const password = 'correct hörse "battery" \\ staple 🐴'
const fake = startFakeManagers(password)
const settings = settingsFor(fake.url)

afterEach(() => {
  fake.instead = undefined
  fake.asked.length = 0
})
afterAll(() => fake[Symbol.dispose]())

describe('who we are to HashiCorp Vault', () => {
  test('a role (AppRole), in a namespace', async () => {
    const given = {
      ...without(settings.hashicorp, 'VAULT_TOKEN'),
      VAULT_ROLE_ID: hashicorp.roleId,
      VAULT_SECRET_ID: hashicorp.secretId,
      VAULT_NAMESPACE: hashicorp.namespace,
    }
    expect(await askHere('hashicorp', given, testHttp(fake.cert))).toBe(password)
    expect(fake.asked).toEqual(['POST /v1/auth/approle/login', `GET /v1/${hashicorp.path}`])
    const wrong = { ...given, VAULT_SECRET_ID: hashicorp.roleId }
    const refusal = await rejectionOf(() => askHere('hashicorp', wrong, testHttp(fake.cert)))
    expect(refusal.message).toBe('HashiCorp Vault refused the request (400)')
    expect(refusal.hint).toContain('VAULT_SECRET_ID')
  })

  test('nobody: the variables are named', async () => {
    const given = without(settings.hashicorp, 'VAULT_TOKEN')
    const refusal = await rejectionOf(() => askHere('hashicorp', given, testHttp(fake.cert)))
    expect(refusal.message).toBe('neither VAULT_TOKEN nor VAULT_ROLE_ID is set')
  })

  test.each(['', 'secret/kms', 'data/kms', 'secret/data', 'a/../data/b', 'a//data/b', './data/b'])(
    'a path %j is not asked for',
    async path => {
      const refusal = await rejectionOf(() => ask({ TATUM_KMS_HASHICORP_PATH: path }))
      expect(refusal.code).toBe('usage')
      expect(refusal.message).toContain('TATUM_KMS_HASHICORP_PATH is not')
      expect(fake.asked).toEqual([])
    },
  )

  test('a path is sent as the API has it', async () => {
    await ask({ TATUM_KMS_HASHICORP_PATH: '/secret/data/a?b#c%2f/' }).catch(() => {})
    expect(fake.asked).toEqual(['GET /v1/secret/data/a%3Fb%23c%252f'])
  })
})

function ask(changed: Settings = {}): Promise<string> {
  return askHere('hashicorp', { ...settings.hashicorp, ...changed }, testHttp(fake.cert))
}
