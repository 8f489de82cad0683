import { expect, test } from 'bun:test'
import type { Network } from '../../src/base/model.ts'
import { sharedWithMainnet } from '../../src/signer/shared-keys.ts'
import type { WalletInfo } from '../../src/vault/records.ts'
import { idOf } from '../support/test-vault.ts'

function wallet(n: number, chain: string, network: Network, key: Partial<WalletInfo>): WalletInfo {
  return { id: idOf(n), chain, network, kind: 'key', createdAt: 0, ...key }
}

const key = { publicKey: new Uint8Array(32).fill(1) }
const other = { publicKey: new Uint8Array(32).fill(2) }

test.each([
  ['the same key on both networks', wallet(1, 'SOL', 'mainnet', key), [2]],
  ['another key', wallet(1, 'SOL', 'mainnet', other), []],
  ['the key on another chain', wallet(1, 'XRP', 'mainnet', key), []],
  ['the key on the same network', wallet(1, 'SOL', 'testnet', key), []],
])('%s', (_, first, expected) => {
  const second = wallet(2, 'SOL', 'testnet', key)
  for (const wallets of [
    [first, second],
    [second, first],
  ]) {
    expect(sharedWithMainnet(wallets)).toEqual(expected.map(idOf))
  }
})

test('the same account key of a mnemonic counts as well, and Ethereum names its network', () => {
  const xpub = { xpub: 'xpub…' }
  const trons = [wallet(1, 'TRON', 'mainnet', xpub), wallet(2, 'TRON', 'testnet', xpub)]
  expect(sharedWithMainnet(trons)).toEqual([idOf(2)])
  const eths = [wallet(1, 'ETH', 'mainnet', xpub), wallet(2, 'ETH', 'testnet', xpub)]
  expect(sharedWithMainnet(eths)).toEqual([])
})
