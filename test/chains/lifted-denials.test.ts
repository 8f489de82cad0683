import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { liftableDenials } from '../../src/chains/denials.ts'
import { thrownBy } from '../support/evm.ts'
import { liftedOnAccountChains } from '../support/lifted-accounts.ts'
import { type LiftedPayment, prepareWith, signed } from '../support/lifted-payments.ts'
import { liftedOnSol } from '../support/lifted-sol.ts'
import { liftedOnXlm } from '../support/lifted-xlm.ts'
import { liftedOnXrp } from '../support/lifted-xrp.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

const payments = [...liftedOnXrp, ...liftedOnXlm, ...liftedOnSol, ...liftedOnAccountChains]
const names = liftableDenials.map(({ name }) => name)

test('every denial that can be lifted has a payment here', () => {
  expect([...new Set(payments.map(({ name }) => name))].toSorted()).toEqual([...names].toSorted())
  expect(new Set(names).size).toBe(names.length)
})

test('what can be lifted is documented', () => {
  const text = readFileSync(join(import.meta.dir, '../../docs/operations.md'), 'utf8')
  const [, section = ''] = text.split('## What is denied without a policy\n')
  const rows = [...(section.split('\n## ')[0] ?? '').matchAll(/^\| `(\S+)` \| (.+) \|$/gm)]
  expect(rows.map(([, name, about]) => ({ name, about }))).toEqual([...liftableDenials] as never)
})

describe.each(payments)('$name: $about', payment => {
  const { name, intent, check } = payment

  test('is denied, and said is which denial that is', () => {
    expect(denialOf(payment, [])).toMatchObject({
      code: 'policy-denied',
      message: expect.stringMatching(new RegExp(`: denied unless a policy lifts ${name}$`)),
    })
  })

  test('is denied when every other denial is lifted', () => {
    const { code, message } = denialOf(
      payment,
      names.filter(other => other !== name),
    )
    expect([code, message.endsWith(` lifts ${name}`)]).toEqual(['policy-denied', true])
  })

  test('is signed when this one is lifted, and what it does is told', async () => {
    const prepared = prepareWith(payment, [name])
    const { kind, from, outputs, unread } = prepared.intent
    expect<unknown>({ kind, from, outputs, unread }).toEqual({ unread: undefined, ...intent })
    expect(prepared.claims).not.toBeEmpty()
    await check(signed(payment, prepared))
  })

  test('any other text is another payment or a reasoned refusal', () => {
    const text = payment.pending.serializedTransaction
    const letter = fc.constantFrom(...'0123456789abcdefFGz+/=-{}[]",:. ')
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.nat(2), letter, (at, gone, put) => {
        const changed = `${text.slice(0, at)}${put}${text.slice(at + gone)}`
        const pending = { ...payment.pending, serializedTransaction: changed }
        try {
          // Reads back what it signed, and compares.
          expect(signed(payment, prepareWith({ ...payment, pending }, names)).txId).toBeString()
        } catch (thrown) {
          expect(thrown).toMatchObject({
            name: 'KmsError',
            code: expect.stringMatching(/^(transaction-|policy-denied)/),
          })
        }
      }),
    )
  })

  test('a front that completes it cannot change that', () => {
    const { own, chain, pending } = payment
    const lifting = { ...own, settings: { ...own.settings, lifted: [name] } }
    const { fee: _, ...asked } = chain.review(pending, lifting)
    const { fee: __, ...completed } = prepareWith(payment, [name]).intent
    expect(completed).toEqual(asked)
  })
})

function denialOf(payment: LiftedPayment, lifted: readonly string[]) {
  return thrownBy(() => prepareWith(payment, lifted))
}
