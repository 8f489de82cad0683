import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { KmsError } from '../../src/base/errors.ts'
import type { Chain } from '../../src/chains/chain.ts'
import {
  hashOf,
  outcome,
  prepare,
  signaturesFor,
  type TestTx,
  utxoChains,
} from '../support/utxo.ts'
import { changesOf, transactions } from '../support/utxo-arbitraries.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

describe.each(utxoChains)('any transaction of $id', chain => {
  test('is told apart from the same with one field changed, or the change is refused', () => {
    fc.assert(
      fc.property(transactions(chain), fc.nat(), fc.nat(0xffffffff), (tx, where, value) => {
        const changed = structuredClone(tx)
        const changes = changesOf(changed, chain)
        if (!changes[where % changes.length]?.(value)) return
        const after = outcome(() => everythingAbout(chain, changed))
        if (!(after instanceof KmsError)) expect(after).not.toEqual(everythingAbout(chain, tx))
      }),
    )
  })

  test('with a declared hash, has no field the hash covers that can be changed', () => {
    fc.assert(
      fc.property(transactions(chain), fc.nat(), fc.nat(0xffffffff), (tx, where, value) => {
        const changed = structuredClone(tx)
        const covered = changesOf(changed, chain).slice(2 * tx.inputs.length)
        if (!covered[where % covered.length]?.(value)) return
        const attempt = () => prepare(chain, { ...changed, hash: hashOf(tx) })
        expect(outcome(attempt)).toBeInstanceOf(KmsError)
      }),
    )
  })

  test('signs the same bytes again, and names each spent output once', () => {
    fc.assert(
      fc.property(transactions(chain), tx => {
        expect(everythingAbout(chain, tx)).toEqual(everythingAbout(chain, structuredClone(tx)))
        const { claims } = prepare(chain, tx)
        expect([...claims]).toEqual(
          tx.inputs.map(({ prevTxId, outputIndex }) => `output/${prevTxId}:${outputIndex}`),
        )
        expect(new Set(claims).size).toBe(tx.inputs.length)
      }),
    )
  })
})

function everythingAbout(chain: Chain, tx: TestTx): unknown {
  const prepared = prepare(chain, tx)
  const { intent, claims, requests } = prepared
  return { intent, claims, requests, signed: prepared.seal(signaturesFor(prepared)) }
}
