import { describe, expect, test } from 'bun:test'
import { defaultSettings } from '../../src/chains/settings.ts'
import { noApprovers } from '../../src/guard/signed-verdicts.ts'
import { decodeSignerSettings, type SignerSettings } from '../../src/signer/settings.ts'
import { refusalOf } from '../support/secret.ts'

/** Test 1 of RFC 8032, 7.1. */
const approverKey = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'

const settings: SignerSettings = {
  vaultPath: '/vault',
  network: 'mainnet',
  chainSettings: defaultSettings,
  secretMemory: 'auto',
  lockWaitMs: 0,
  acceptRollback: false,
  acceptNonces: ['0x9858effd232b4033e47d90003d41ec34ecaeda94'],
  othersSign: false,
  allowReplacement: true,
  cancel: null,
  resign: null,
  approvers: noApprovers,
  policyPath: null,
  policyShare: null,
  notifyFd: 6,
  watchdogMs: null,
  logPriorities: false,
  channelFd: 3,
  passwordFd: 4,
  frontPid: 5,
  misses: ['files: none'],
  requireHardening: true,
}

describe('the settings of a signer', () => {
  test('are read as they were written', () => {
    const cancel = '000000000000000000000001'
    const approvers = { keys: [approverKey], approvals: 1 }
    for (const change of [
      {},
      { cancel, acceptNonces: [] },
      { resign: cancel },
      { approvers },
      { frontPid: null },
    ]) {
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
    ['no approvers', { approvers: undefined }],
    ['a key of an approver that is none', { approvers: { keys: ['00'], approvals: 1 } }],
    ['a key of small order', { approvers: { keys: ['00'.repeat(32)], approvals: 1 } }],
    ['no approvals of a key', { approvers: { keys: [approverKey], approvals: 0 } }],
    ['more approvals than keys', { approvers: { keys: [approverKey], approvals: 2 } }],
    ['part of an approval', { approvers: { keys: [approverKey], approvals: 0.5 } }],
    ['no word on systemd', { notifyFd: undefined }],
    ['a watchdog that is no number', { watchdogMs: '1' }],
    ['no word on a policy', { policyPath: undefined }],
    ['a policy whose path is no text', { policyPath: 1 }],
    ['a policy that is named twice', { policyPath: ['/policy'] }],
    ['no word on hardening', { requireHardening: undefined }],
    ['hardening as a text', { requireHardening: 'true' }],
    ['no word on replacements', { allowReplacement: undefined }],
    ['no accepted nonces', { acceptNonces: undefined }],
    ['accepted nonces that are no list', { acceptNonces: 'all' }],
    ['an accepted nonce that is no text', { acceptNonces: [null] }],
  ])('are not taken with %s', (_, change) => {
    const text = JSON.stringify({ ...settings, ...change })
    expect(refusalOf(() => decodeSignerSettings(text))).toMatchObject({ code: 'usage' })
  })
})
