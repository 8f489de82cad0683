import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ErrorCode, KmsError } from '../../src/base/errors.ts'
import { ApproverDenial, type Decision, decisionOn } from '../../src/signer/decisions.ts'
import { type Ledger, openLedger } from '../../src/signer/ledger.ts'
import type { DecisionRecord } from '../../src/signer/ledger-seal.ts'
import { readLedger } from '../../src/signer/read-ledger.ts'
import { refusalOf, secretOf } from '../support/secret.ts'

const auditKey = secretOf(new Uint8Array(32).fill(1))
const folder = mkdtempSync(join(tmpdir(), 'kms-decisions-'))
const start = 1_700_000_000_000
let made = 0

afterAll(() => rmSync(folder, { recursive: true }))

describe('a decision is what was thrown', () => {
  const about = {
    pendingId: '0'.repeat(24),
    chain: 'ETH',
    network: 'mainnet',
    serializedHash: new Uint8Array(32),
  } as const
  const signed = new ApproverDenial('no', { digest: 'ab', by: ['key'] })
  const fault = (code: ErrorCode) => new KmsError(code, 'no')
  test.each([
    ['what is no payment of ours', 'refused', fault('transaction-refused'), null, []],
    ['what the policy denies', 'denied-by-policy', fault('policy-denied'), null, []],
    ['what was denied before', 'refused', fault('approver-denied'), null, []],
    ['what approvers have denied', 'denied-by-approver', signed, 'ab', ['key']],
  ] as const)('%s is %s', (_name, what, thrown, digest, by) => {
    const { code } = thrown
    const decided = { what, code, reason: 'no', digest, by, decidedAt: start }
    expect(decisionOn(about, thrown, start)).toEqual({ ...about, ...decided })
  })

  test('and nothing where a payment has to wait', () => {
    expect(decisionOn(about, fault('too-early'), start)).toBeUndefined()
  })
})

describe('a decision is written', () => {
  test('once, however often it is made, also by the next daemon', () => {
    const path = newPath()
    for (let again = 0; again < 3; again++) {
      withLedger(path, ledger => {
        for (let cycle = 0; cycle < 3; cycle++) ledger.commit([], [refusal(1), refusal(1)])
      })
    }
    expect(written(path)).toEqual([expect.objectContaining({ pendingId: refusal(1).pendingId })])
  })

  test('once while nothing but numbers differ in its sentence', () => {
    const path = newPath()
    withLedger(path, ledger => {
      for (const next of [8, 9, 10]) {
        ledger.commit([], [refusal(1, { reason: `nonce 1009 is far ahead of ${next}` })])
      }
    })
    expect(written(path)).toHaveLength(1)
  })

  const changes: Partial<Decision> = {
    what: 'denied-by-policy',
    code: 'wallet-missing',
    reason: 'something else',
    serializedHash: new Uint8Array(32).fill(9),
    chain: 'BTC',
    network: 'testnet',
    digest: 'cd',
    by: ['another key'],
  }
  test.each(Object.entries(changes))('again when %s is another', (name, value) => {
    const path = newPath()
    withLedger(path, ledger => {
      ledger.commit([], [refusal(1)])
      ledger.commit([], [refusal(1, { [name]: value })])
      ledger.commit([], [refusal(1)])
    })
    expect(written(path)).toHaveLength(3)
  })

  test('whatever characters are in its sentence, which is cut', () => {
    const path = newPath()
    const reason = `\0 \ud800 \u2028 ${'long '.repeat(1000)}`
    withLedger(path, ledger => ledger.commit([], [refusal(1, { reason })]))
    withLedger(path, ledger => ledger.commit([], [refusal(2, { reason: '\udfff' })]))
    expect(written(path).map(decision => decision.reason.length)).toEqual([500, 1])
  })

  test('in one commit with what was signed at the same time', () => {
    const path = newPath()
    withLedger(path, ledger => {
      ledger.commit([entry(1)], [refusal(2), refusal(3)])
      expect(ledger.count()).toBe(1)
    })
    using reader = readLedger(path, auditKey)
    expect(reader.summary).toMatchObject({ signed: 1, decisions: 2, head: { number: 1n } })
  })
})

describe('who invents ids does not fill the disk', () => {
  const many = (from: number, count: number, at: number) =>
    Array.from({ length: count }, (_, i) => refusal(from + i, { decidedAt: at }))

  test('after 10,000 decisions in an hour one row a minute stands for the others', () => {
    const path = newPath()
    withLedger(path, ledger => {
      ledger.commit([], many(0, 9_999, start))
      ledger.commit([], many(10_000, 3, start + 1_000))
      ledger.commit([], many(20_000, 5, start + 2_000))
      ledger.commit([], many(30_000, 7, start + 61_000))
    })
    // The room does not come back with a new daemon.
    withLedger(path, ledger => ledger.commit([], many(40_000, 4, start + 62_000)))
    withLedger(path, ledger => ledger.commit([], many(50_000, 4, start + 3_700_000)))
    const rows = written(path)
    expect(rows.filter(({ what }) => what === 'refused')).toHaveLength(10_004)
    expect(rows.filter(({ what }) => what === 'left-out').map(({ reason }) => reason)).toEqual(
      [2, 12, 4].map(n => `${n} more are not written down: there were over 10000 in an hour`),
    )
  })

  test('what approvers have signed is always written', () => {
    const path = newPath()
    withLedger(path, ledger => {
      ledger.commit([], many(0, 10_001, start))
      ledger.commit([], [denial(20_000)])
      expect(ledger.denied(denial(20_000).pendingId)).toEqual(denial(20_000))
    })
  })

  test('nor does who shows signed denials again and again, with refusals between them', () => {
    const path = newPath()
    const shown = Array.from({ length: 2_000 }, (_, i) => (i % 2 === 0 ? denial(1) : refusal(1)))
    withLedger(path, ledger => ledger.commit([], [...shown, { ...denial(1), digest: 'cd' }]))
    withLedger(path, ledger => {
      ledger.commit([], shown)
      ledger.commit([], [denial(2), { ...denial(1), digest: 'cd' }])
    })
    const denials = written(path).filter(({ what }) => what === 'denied-by-approver')
    expect(denials.map(({ pendingId, digest }) => [pendingId, digest])).toEqual([
      [denial(1).pendingId, 'ab'],
      [denial(2).pendingId, 'ab'],
      [denial(1).pendingId, 'cd'],
    ])
    expect(written(path).length).toBeLessThan(10)
  })

  test('how many were left out is not forgotten when their commit fails', () => {
    const path = newPath()
    withLedger(path, ledger => {
      ledger.commit([], many(0, 10_000, start))
      ledger.commit([], many(10_000, 3, start + 1_000))
      ledger.commit([], many(20_000, 5, start + 2_000))
      ledger.commit([entry(1)])
      const twice = () => ledger.commit([entry(1)], many(30_000, 7, start + 61_000))
      expect(refusalOf(twice).code).toBe('disk')
      ledger.commit([], many(40_000, 2, start + 62_000))
    })
    const rows = written(path).filter(({ what }) => what === 'left-out')
    expect(rows.map(({ reason }) => reason)).toEqual(
      [3, 7].map(n => `${n} more are not written down: there were over 10000 in an hour`),
    )
  })

  test('a clock that was set back does not stop them', () => {
    const path = newPath()
    withLedger(path, ledger => {
      ledger.commit([], many(0, 10_000, start))
      ledger.commit([], many(10_000, 1, start - 86_400_000))
    })
    expect(written(path)).toHaveLength(10_001)
  })
})

describe('a denial that approvers have signed', () => {
  test('is known for ever, whatever is decided after it', () => {
    const path = newPath()
    withLedger(path, ledger => {
      ledger.commit([], [denial(1), refusal(2)])
      ledger.commit([], [refusal(1)])
    })
    withLedger(path, ledger => {
      expect(ledger.denied(denial(1).pendingId)).toEqual(denial(1))
      expect(ledger.denied(refusal(2).pendingId)).toBeUndefined()
      expect(ledger.denied('unknown')).toBeUndefined()
    })
  })
})

function refusal(n: number, change: Partial<Decision> = {}): Decision {
  return {
    pendingId: `${n}`.padStart(24, '0'),
    chain: 'ETH',
    network: 'mainnet',
    serializedHash: Buffer.alloc(32, 7),
    what: 'refused',
    code: 'transaction-refused',
    reason: 'it is refused',
    digest: '',
    by: [],
    decidedAt: start,
    ...change,
  }
}

function denial(n: number): Decision {
  const by = ['one', 'other']
  return refusal(n, { what: 'denied-by-approver', code: 'approver-denied', digest: 'ab', by })
}

function entry(n: number) {
  return {
    pendingId: `${n}`.padStart(24, '0'),
    chain: 'ETH',
    network: 'mainnet',
    serializedHash: new Uint8Array(32),
    txData: '0x',
    txId: 'id',
    facts: {},
    claims: [`nonce/0xaa/${n}`],
    signedAt: start,
  } as const
}

function newPath(): string {
  return join(folder, `ledger-${made++}`)
}

function withLedger(path: string, work: (ledger: Ledger) => void): void {
  using ledger = openLedger(path, auditKey)
  work(ledger)
}

function written(path: string): readonly DecisionRecord[] {
  using reader = readLedger(path, auditKey)
  return [...reader.records()].filter(record => record.kind === 'decision')
}
