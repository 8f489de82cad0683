import { describe, test } from 'bun:test'
import fc from 'fast-check'
import { tron } from '../../src/chains/tron.ts'
import { expectReasoned, hostileTexts, largeTexts } from '../support/hostile-text.ts'
import { leavesOf, replaceAt } from '../support/json-tree.ts'
import { anyTransaction, own, transfer, unsigned, withBytes } from '../support/tron.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

const good = unsigned(transfer)

describe('hostile text', () => {
  test('is read or refused with a reason', () => {
    const members = ['signature', 'contract_address', 'visible']
    fc.assert(fc.property(hostileTexts(good, members), text => expectReasoned(tron, own, text)))
  })

  test('with anything anywhere is read or refused with a reason', () => {
    fc.assert(
      fc.property(anyTransaction, fc.nat(), fc.jsonValue(), (json, at, value) => {
        const paths = leavesOf(json).flatMap(path => path.map((_, i) => path.slice(0, i + 1)))
        const spoilt = replaceAt(json, paths[at % paths.length] ?? [], value)
        expectReasoned(tron, own, JSON.stringify(spoilt))
      }),
    )
  })

  test.each(['raw_data', 'raw_data_hex', 'txID', 'visible', 'signature'])(
    'of half a megabyte in %s is refused at once',
    member => {
      for (const text of largeTexts(good, member)) expectReasoned(tron, own, text)
    },
  )

  test('of bytes without end is refused at once', () => {
    const fill = (...pattern: readonly number[]) =>
      Uint8Array.from({ length: 65_536 }, (_, i) => pattern[i % pattern.length] ?? 0)
    for (const each of [
      fill(0x5a, 0),
      fill(0x80),
      fill(8, 1),
      fill(0x52, 1, 1),
      fill(0x5a, 2, 18, 0),
    ]) {
      expectReasoned(tron, own, JSON.stringify(withBytes(good, each)))
    }
  })
})
