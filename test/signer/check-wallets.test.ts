import { afterAll, expect, spyOn, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findChain } from '../../src/chains/index.ts'
import { checkWallets } from '../../src/signer/check-wallets.ts'
import { wallets } from '../support/payments.ts'
import { secretOf } from '../support/secret.ts'
import { openTestVault, storeWallets } from '../support/test-vault.ts'

const folder = mkdtempSync(join(tmpdir(), 'kms-check-'))
// Its address comes with the text of its key, which is derived from the mnemonic.
const xrp = { ...wallets.ethMnemonic, id: '99999999-9999-4999-8999-999999999999', chain: 'XRP' }
await storeWallets(folder, [...Object.values(wallets), xrp])
afterAll(() => rmSync(folder, { recursive: true }))

test('every secret that is opened or derived is wiped when all are checked', async () => {
  using vault = openTestVault(folder)
  const held = new Set<unknown>()
  const register = spyOn(FinalizationRegistry.prototype, 'register')
  register.mockImplementation(secret => void held.add(secret))
  const wipe = spyOn(Object.getPrototypeOf(secretOf(new Uint8Array(1))), 'wipe')
  held.clear()
  try {
    const warnings: string[] = []
    const counts = await checkWallets(vault, findChain, {
      warn: text => warnings.push(text),
      show() {},
    })
    expect(counts).toMatchObject({ wallets: Object.keys(wallets).length + 1, different: 0 })
    expect(warnings).toEqual([])
    expect(held.size).toBeGreaterThan(counts.wallets)
    for (const wiped of wipe.mock.contexts) held.delete(wiped)
    expect(held.size).toBe(0)
  } finally {
    register.mockRestore()
    wipe.mockRestore()
  }
})
