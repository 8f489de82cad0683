import { expect, test } from 'bun:test'
import { type ErrorCode, KmsError } from '../../src/base/errors.ts'
import { findChain } from '../../src/chains/index.ts'
import { watchWallets } from '../../src/daemon/watch-wallets.ts'

/** What is asked about while the signer has these wallets; `fails` is what its next reload throws. */
function world() {
  const vault = { ids: ['a'], fails: undefined as ErrorCode | undefined }
  const unsent: string[] = []
  const watch = watchWallets({
    signer: {
      async ask(question) {
        if (question.type !== 'reload') {
          return { wallets: vault.ids.map(id => ({ id, chain: 'BTC' })), next: null } as never
        }
        const code = vault.fails
        vault.fails = undefined
        if (code !== undefined) throw new KmsError(code, 'so it is')
        return { changed: false } as never
      },
    },
    journal: { unsentChains: async () => unsent },
    log: { info: () => {}, warning: () => {} },
    chains: ['BTC', 'ETH'],
    findChain,
    periodMs: 5,
  })
  return { vault, unsent, asked: async () => Object.fromEntries(await watch()) }
}

test('the wallets are read again after a reload that failed: the vault may be the new one', async () => {
  const { vault, asked } = world()
  expect(await asked()).toEqual({ BTC: ['a'] })
  vault.ids = ['a', 'b']
  expect(await asked()).toEqual({ BTC: ['a'] })
  vault.fails = 'disk'
  expect(await asked()).toEqual({ BTC: ['a', 'b'] })
})

test('a chain that a journal names and this program does not know is left alone', async () => {
  const { unsent, asked } = world()
  unsent.push('BTC', 'XRP', 'BTC2', '__proto__', '')
  expect(await asked()).toEqual({ BTC: ['a'], XRP: [] })
})
