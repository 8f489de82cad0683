import { afterAll, afterEach, describe, expect, test } from 'bun:test'
import type { HttpRequest } from '../../../src/base/http.ts'
import { askHere, testHttp, tokenFile } from '../../support/ask-manager.ts'
import { azure } from '../../support/fake-managers/fake-azure.ts'
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

describe('who we are to Azure', () => {
  const asked = (more: Settings): Promise<string> =>
    askHere(
      'azure',
      { ...without(settings.azure, 'AZURE_CLIENT_SECRET'), ...more },
      testHttp(fake.cert),
    )

  test('a token file (workload identity)', async () => {
    const path = tokenFile(fake, 'federated', azure.federatedToken)
    expect(await asked({ AZURE_FEDERATED_TOKEN_FILE: path })).toBe(password)
    expect(fake.asked).toEqual([
      `POST /${azure.tenant}/oauth2/v2.0/token`,
      `GET /secrets/${azure.secretName}`,
    ])
  })

  test('the identity of the machine', async () => {
    expect(await asked({ AZURE_POD_IDENTITY_AUTHORITY_HOST: fake.url })).toBe(password)
    expect(fake.asked[0]).toBe('GET /metadata/identity/oauth2/token')
  })

  test('a version of the secret', async () => {
    const version = { TATUM_KMS_AZURE_SECRETVERSION: azure.version }
    expect(await ask(version)).toBe(password)
    expect(fake.asked[1]).toBe(`GET /secrets/${azure.secretName}/${azure.version}`)
  })

  test.each([
    [{ AZURE_CLIENT_SECRET: 'other' }, 'the login service of Azure refused access (401)', 'SECRET'],
    [{ TATUM_KMS_AZURE_SECRETNAME: 'x' }, 'Azure Key Vault does not know what was', 'SECRETNAME'],
    [{ TATUM_KMS_AZURE_VAULTURL: 'https://a b' }, 'is not the address of a vault', 'vault.azure'],
  ] as const)('%j is refused', async (changed, message, hint) => {
    const refusal = await rejectionOf(() => ask(changed))
    expect(refusal.code).toBe('usage')
    expect(refusal.message).toContain(message)
    expect(refusal.hint).toContain(hint)
  })

  test.each([
    ['kms.vault.azure.net', 'https://vault.azure.net'],
    ['https://kms.vault.azure.net/', 'https://vault.azure.net'],
    ['kms.vault.azure.cn', 'https://vault.azure.cn'],
    ['kms.vault.usgovcloudapi.net', 'https://vault.usgovcloudapi.net'],
  ])('a token for %s is for %s', async (vault, audience) => {
    const asked: string[] = []
    const http = async ({ url, body }: HttpRequest) => {
      asked.push(new URLSearchParams(body).get('scope') ?? new URL(url).origin)
      return { status: 200, headers: new Headers(), text: '{"access_token":"t","value":"v"}' }
    }
    await askHere('azure', { ...settings.azure, TATUM_KMS_AZURE_VAULTURL: vault }, http)
    const host = vault.replace(/^https:\/\/|\/$/g, '')
    expect(asked).toEqual([`${audience}/.default`, `https://${host}`])
  })
})

function ask(changed: Settings = {}): Promise<string> {
  return askHere('azure', { ...settings.azure, ...changed }, testHttp(fake.cert))
}
