import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { cancellationId, paymentOf, readRowId, resignedId } from '../../src/signer/ledger-ids.ts'

const anyId = fc.stringMatching(/^[\w-]{1,100}$/)
const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)

describe('an id of the ledger is read as it was made', () => {
  test('for the bytes of a payment, however often it was signed anew', () => {
    fc.assert(
      fc.property(anyId, fc.nat(), (pendingId, version) => {
        const rowId = resignedId(pendingId, version)
        expect(readRowId(rowId)).toEqual({ kind: 'bytes', pendingId, version })
        expect(paymentOf(rowId)).toBe(pendingId)
      }),
      { numRuns },
    )
  })

  test('for what took its place', () => {
    fc.assert(
      fc.property(anyId, pendingId => {
        const rowId = cancellationId(pendingId)
        expect(readRowId(rowId)).toEqual({ kind: 'cancellation', pendingId })
        expect(paymentOf(rowId)).toBe(pendingId)
      }),
      { numRuns },
    )
  })

  test.each(['cancel', 'resign', 'cancel-1', ''])(
    'for payment %j, which only looks like one',
    id => {
      expect(readRowId(id)).toEqual({ kind: 'bytes', pendingId: id, version: 0 })
    },
  )
})
