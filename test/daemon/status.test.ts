import { describe, expect, test } from 'bun:test'
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { writeStateFile } from '../../src/base/state-file.ts'
import { type DaemonStatus, decodeStatus, encodeStatus } from '../../src/daemon/status.ts'

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)

const status: DaemonStatus = {
  ...{ version: '1.0.0', pid: 1, frontPid: 2, startedAt: 3, toldAt: 4, network: 'mainnet' },
  ...{ periodMs: 5, idlePeriodMs: 6, hasApprover: true },
  vault: { id: '00000000-0000-4000-8000-000000000000', generation: '7', wallets: 8 },
  chains: [
    { chain: 'BTC', polledAt: null, outcome: null, listed: 0, unsent: 0 },
    { chain: 'ETH', polledAt: 9, outcome: 'failed', listed: 1, unsent: 2 },
  ],
  outcomes: { sent: 3 },
}

describe('what a daemon says of itself', () => {
  test('is read as it was written', () => {
    expect(decodeStatus(encodeStatus(status))).toEqual(status)
  })

  test.each([
    ['nothing', ''],
    ['no object', '[]'],
    ['a version that moves the cursor', JSON.stringify({ ...status, version: '\u001b[2J' })],
    ['a time that no calendar has', JSON.stringify({ ...status, toldAt: 9e15 })],
    ['a time that is no number', JSON.stringify({ ...status, startedAt: '3' })],
    ['chains that are no list', JSON.stringify({ ...status, chains: {} })],
    ['a chain that is none', JSON.stringify({ ...status, chains: [null] })],
    [
      'an outcome that is none',
      JSON.stringify({ ...status, chains: [{ ...status.chains[1], outcome: 'x' }] }),
    ],
    ['counts that are none', JSON.stringify({ ...status, outcomes: { sent: 'many' } })],
    ['no vault', JSON.stringify({ ...status, vault: null })],
    ['deep nesting', '['.repeat(100_000)],
  ])('is not believed with %s', (_, text) => expect(decodeStatus(text)).toBeUndefined())

  test('never makes a fault, whatever it is', () => {
    const property = fc.property(
      fc.json(),
      fc.constantFrom(...Object.keys(status)),
      (json, member) => {
        const changed = JSON.stringify({ ...status, [member]: JSON.parse(json) })
        const read = decodeStatus(changed)
        if (read !== undefined) expect(decodeStatus(encodeStatus(read))).toEqual(read)
      },
    )
    fc.assert(property, { numRuns })
  })
})

describe('a file that says how things are', () => {
  test('is replaced whole, with its mode, and leaves nothing beside it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'kms-state-'))
    const path = join(folder, 'status.json')
    const mask = process.umask(0o077)
    writeStateFile(path, 'one', 0o644)
    writeStateFile(path, 'two', 0o644)
    process.umask(mask)
    expect(readFileSync(path, 'utf8')).toBe('two')
    expect(statSync(path).mode & 0o777).toBe(0o644)
    // What a process left that was killed in between is no obstacle, nor does a link lead elsewhere.
    writeFileSync(join(folder, 'else'), 'mine')
    symlinkSync(join(folder, 'else'), join(folder, '.status.json.tmp'))
    writeStateFile(path, 'three', 0o600)
    expect(readFileSync(join(folder, 'else'), 'utf8')).toBe('mine')
    expect(readdirSync(folder).toSorted()).toEqual(['else', 'status.json'])
    rmSync(folder, { recursive: true })
    expect(() => writeStateFile(path, 'four', 0o600)).toThrow('there is no such file or folder')
  })
})
