import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findChain } from '../../src/chains/index.ts'
import { defaultSettings } from '../../src/chains/settings.ts'
import { judge } from '../../src/guard/policy-judge.ts'
import { openKeyRoom } from '../../src/secret/key-room.ts'
import { explainPayment } from '../../src/signer/explain-payment.ts'
import { btcPayment, ethAddress, ethPayment, wallets } from '../support/payments.ts'
import { nothingSpent, policyOf } from '../support/policies.ts'
import { openTestVault, storeWallets } from '../support/test-vault.ts'

const folder = mkdtempSync(join(tmpdir(), 'kms-explain-'))
await storeWallets(folder, Object.values(wallets))
const vault = openTestVault(folder)
const room = openKeyRoom()
afterAll(async () => {
  await room[Symbol.asyncDispose]()
  vault[Symbol.dispose]()
  rmSync(folder, { recursive: true })
})

const policy = policyOf({ rule: [{ name: 'coins', action: 'allow', chains: ['ETH'] }] })

describe('a pending transaction is explained', () => {
  test('by what it does and by the rule that decides', async () => {
    expect(await explain(ethPayment(1))).toMatchObject({
      id: ethPayment(1).id,
      chain: 'ETH',
      intent: { kind: 'transfer', from: [ethAddress], outputs: [{ amount: 1_001n }] },
      judgement: { kind: 'approved', by: 'rule "coins"' },
    })
    expect(await explain(btcPayment(1))).toMatchObject({
      chain: 'BTC',
      judgement: { kind: 'denied', by: 'default' },
    })
  })

  test.each<readonly [string, unknown, string | undefined, string]>([
    ['malformed', { ...ethPayment(1), hashes: 1 }, ethPayment(1).id, 'transaction-malformed'],
    ['no transaction', 'x', undefined, 'transaction-malformed'],
    ['of an id that is none', { ...ethPayment(1), id: '../x' }, undefined, 'transaction-malformed'],
    ['of an unknown chain', { ...ethPayment(1), chain: 'X' }, ethPayment(1).id, 'transaction-malf'],
    [
      'of a wallet of another chain',
      { ...ethPayment(1), hashes: [wallets.btcKey.id] },
      ethPayment(1).id,
      'transaction-refused',
    ],
  ])('as what cannot be judged when it is %s', async (_, sent, id, code) => {
    expect(await explain(sent)).toMatchObject({
      id: id as string,
      fault: { code: expect.stringContaining(code) },
    })
  })
})

function explain(sent: unknown) {
  return explainPayment(
    {
      ...{ vault, room, network: 'mainnet', chainSettings: defaultSettings, findChain },
      judge: payment => judge(policy, payment, nothingSpent),
    },
    sent,
  )
}
