import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { NewWallet } from '../../src/vault/draft.ts'
import { openVault, type VaultPlace } from '../../src/vault/vault.ts'
import { change, keyOf, mnemonicOf, password, placeOn, vaultDisk } from '../support/memory-vault.ts'
import { refusal } from '../support/refusal.ts'
import { revealedText } from '../support/secret.ts'

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)

type Step =
  | { readonly kind: 'add'; readonly wallet: 'mnemonic' | 'key'; readonly secret: string }
  | { readonly kind: 'remove'; readonly pick: number }
type Model = Map<string, string>

const secretText = fc.string({ unit: fc.constantFrom(...'abcdef '), maxLength: 40 })
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('add'),
    wallet: fc.constantFrom('mnemonic', 'key'),
    secret: secretText,
  }),
  fc.record({ kind: fc.constant('remove'), pick: fc.nat() }),
)
const anyWrites = fc.array(fc.array(anyStep, { maxLength: 5 }), { maxLength: 4 })

function newWallet({ wallet, secret }: Extract<Step, { kind: 'add' }>): NewWallet {
  return wallet === 'mnemonic' ? mnemonicOf(secret) : keyOf(secret)
}

test('a vault after any changes holds what a Map would', async () => {
  await fc.assert(
    fc.asyncProperty(anyWrites, async writes => {
      const place = placeOn(vaultDisk())
      const model: Model = new Map()
      for (const steps of writes) {
        await change(place, draft => {
          for (const step of steps) {
            if (step.kind === 'add') {
              model.set(draft.add(newWallet(step)).id, step.secret)
              continue
            }
            const id = [...model.keys()][step.pick % Math.max(model.size, 1)] ?? 'none'
            if (model.delete(id)) draft.remove(id)
            else expect(() => draft.remove(id)).toThrow(refusal('wallet-missing'))
            expect(draft.find(id)).toBeUndefined()
          }
        })
      }
      if (writes.length > 0) expectSame(place, model)
    }),
    { numRuns },
  )
})

function expectSame(place: VaultPlace, model: Model): void {
  using vault = openVault(place, password)
  expect([...vault.ids()]).toEqual([...model.keys()])
  for (const [id, secret] of model) {
    using revealed = vault.reveal(id)
    const text = revealed.mnemonic ?? revealed.keyText
    expect(text && revealedText(text)).toBe(secret)
  }
}
