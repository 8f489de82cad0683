import { describe, expect, test } from 'bun:test'
import { defaultSettings } from '../../src/chains/settings.ts'
import { decodeSignerSettings, type SignerSettings } from '../../src/signer/settings.ts'
import { refusalOf } from '../support/secret.ts'

const settings: SignerSettings = {
  vaultPath: '/vault',
  network: 'mainnet',
  chainSettings: defaultSettings,
  secretMemory: 'auto',
  lockWaitMs: 0,
  acceptRollback: false,
  acceptNonces: ['0x9858effd232b4033e47d90003d41ec34ecaeda94'],
  cancel: null,
  resign: null,
  channelFd: 3,
  passwordFd: 4,
  frontPid: 5,
}

describe('the settings of a signer', () => {
  test('are read as they were written', () => {
    const cancel = '000000000000000000000001'
    for (const change of [{}, { cancel, acceptNonces: [] }, { resign: cancel }]) {
      const each = { ...settings, ...change }
      expect(decodeSignerSettings(JSON.stringify(each))).toEqual(each)
    }
  })

  test.each([
    ['no member cancel', { cancel: undefined }],
    ['an empty payment to cancel', { cancel: '' }],
    ['a payment to cancel that is no id', { cancel: 'cancel/1' }],
    ['a payment to cancel that is no text', { cancel: 1 }],
    ['no member resign', { resign: undefined }],
    ['a payment to sign anew that is no id', { resign: 'resign/1/1' }],
    ['a payment to sign anew that is no text', { resign: {} }],
    ['two orders at once', { cancel: 'a', resign: 'a' }],
    ['no accepted nonces', { acceptNonces: undefined }],
    ['accepted nonces that are no list', { acceptNonces: 'all' }],
    ['an accepted nonce that is no text', { acceptNonces: [null] }],
  ])('are not taken with %s', (_, change) => {
    const text = JSON.stringify({ ...settings, ...change })
    expect(refusalOf(() => decodeSignerSettings(text))).toMatchObject({ code: 'usage' })
  })
})
