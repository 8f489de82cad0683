import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KmsError } from '../../src/base/errors.ts'
import { createLog } from '../../src/base/log.ts'
import type { Journal, PaymentRow } from '../../src/daemon/journal.ts'
import { openJournal } from '../../src/daemon/journal-sqlite.ts'
import { createMemory } from '../../src/daemon/memory.ts'
import { type ReportDeps, sendReports } from '../../src/daemon/reports.ts'

const failed: Omit<PaymentRow, 'pendingId'> = {
  chain: 'BTC',
  state: 'seen',
  contents: 'c0',
  withdrawalId: null,
  lane: null,
  txData: null,
  txId: null,
  finalData: null,
  finalId: null,
  arrivalData: null,
  replacedId: null,
  code: 'policy-denied',
  reason: 'no',
  reported: null,
}
const ids = Array.from({ length: 120 }, (_, n) => `id${n}`)

let folder: string
let journal: Journal
let memory: ReturnType<typeof createMemory>
let lines: string[]

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kms-reports-'))
  const scope = { vaultId: '00'.repeat(16), network: 'mainnet' } as const
  journal = await openJournal(join(folder, 'payments.sqlite'), scope, () => 0)
  memory = createMemory(5)
  lines = []
  await Promise.all(ids.map(id => journal.record({ ...failed, pendingId: id })))
  for (const id of ids) memory.reports.set(id, { code: 'policy-denied', reason: 'no' })
})

afterEach(async () => {
  await journal.close()
  rmSync(folder, { recursive: true })
})

/** Which ids Tatum took, when it answers so to each report. */
async function report(answer: (ids: readonly string[]) => Promise<void>) {
  const taken: string[] = []
  const api: ReportDeps['api'] = {
    async reportErrors(reports) {
      const asked = reports.map(({ signatureId }) => signatureId)
      await answer(asked)
      taken.push(...asked)
    },
  }
  const log: ReportDeps['log'] = createLog({
    write: line => void lines.push(line),
    now: () => new Date(0),
    json: true,
    level: 'debug',
  })
  await sendReports({ api, journal, log }, memory, new AbortController().signal)
  return taken
}

test('a report that Tatum refuses does not hold up the others, and is told of once', async () => {
  const refuse = async (asked: readonly string[]): Promise<void> => {
    if (asked.includes('id7')) throw new KmsError('transaction-refused', 'answered with 400')
  }
  expect(await report(refuse)).toEqual(ids.slice(50))
  expect(await report(refuse)).toEqual([])
  expect([...memory.reports.keys()]).toEqual(ids.slice(0, 50))
  expect(lines).toHaveLength(1)
})

test('a server that is down is not asked for each of them', async () => {
  let asked = 0
  const down = async (): Promise<never> => {
    asked++
    throw new KmsError('network', 'could not reach it')
  }
  expect(await report(down)).toEqual([])
  expect(asked).toBe(1)
  expect(memory.reports.size).toBe(120)
})

test('what is signed while others are reported has not failed', async () => {
  const signed = {
    ...failed,
    pendingId: 'id70',
    state: 'signed',
    txData: '0x',
    txId: '0xid',
  } as const
  const taken = await report(async asked => {
    if (asked.includes('id0')) await journal.record(signed)
  })
  expect(taken).toEqual(ids.filter(id => id !== 'id70'))
  expect(memory.reports.size).toBe(0)
})

test('leases that were asked for are let go, though one of them could not be', async () => {
  const held = new Set<string>()
  const leases: Journal['leases'] = {
    isShared: true,
    async take(name) {
      if (name === 'payment/id0') throw new KmsError('disk', 'away')
      await Bun.sleep(1)
      held.add(name)
      return true
    },
    letGo: name => void held.delete(name),
    isHeld: name => held.has(name),
  }
  journal = { ...journal, leases }
  await expect(report(async () => {})).rejects.toThrow('away')
  await Bun.sleep(5)
  expect([...held]).toEqual([])
})
