import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeHeadLine, encodeHeadLine, requireHead } from '../../src/signer/head-line.ts'
import { openLedger } from '../../src/signer/ledger.ts'
import { readHead, readLedger } from '../../src/signer/read-ledger.ts'
import { refusalOf, secretOf } from '../support/secret.ts'

const auditKey = secretOf(new Uint8Array(32).fill(1))
const folder = mkdtempSync(join(tmpdir(), 'kms-head-'))
const vaultId = 'ab'.repeat(16)
const now = Date.UTC(2026, 0, 2, 3, 4, 5, 678)

afterAll(() => rmSync(folder, { recursive: true }))

test('a head is one word, and what it was made of', () => {
  const head = { number: 12n, mac: new Uint8Array(32).fill(7), generation: 3n }
  const line = encodeHeadLine(vaultId, head, now)
  expect(line).toBe(`tatum-kms-head-1:${vaultId}:12:${'07'.repeat(32)}:3:20260102T030405Z`)
  expect(decodeHeadLine(` ${line}\n`)).toEqual({ vaultId, ...head })
})

test.each([
  ['nothing', ''],
  ['another version', encodeHeadLine(vaultId, undefined, now).replace('head-1', 'head-2')],
  ['half of it', encodeHeadLine(vaultId, undefined, now).slice(0, 60)],
  ['two lines', `${encodeHeadLine(vaultId, undefined, now)}\n`.repeat(2)],
  [
    'a number beyond all',
    `tatum-kms-head-1:${vaultId}:${'9'.repeat(40)}:${'0'.repeat(64)}:1:2026Z`,
  ],
])('%s is none', (_name, line) => {
  expect(refusalOf(() => decodeHeadLine(line)).code).toBe('usage')
})

describe('of a ledger', () => {
  const path = join(folder, 'ledger')
  const lines: string[] = []
  for (let n = 0n; n < 4n; n++) {
    using ledger = openLedger(path, auditKey)
    if (n > 0n) ledger.acceptGeneration(n)
    lines.push(encodeHeadLine(vaultId, readHead(path), now))
  }

  test('each head there ever was is in it, from before its first commit on', () => {
    using reader = readLedger(path, auditKey)
    for (const line of lines) requireHead(line, vaultId, reader)
    expect(lines.map(line => line.split(':')[2])).toEqual(['0', '1', '2', '3'])
  })

  test.each([
    ['a later one', 2, '9', /^the ledger ends at commit 3, and commit 9 was seen/],
    ['another MAC', 3, 'cd'.repeat(32), /^commit 3 is another than the one that was seen/],
    ['another generation', 4, '8', /^commit 3 is another than the one that was seen/],
    ['another vault', 1, 'cd'.repeat(16), /^the head is of vault (cd){16}, and this is vault/],
  ])('%s is not', (_name, field, value, said) => {
    using reader = readLedger(path, auditKey)
    const line = lines[3]?.split(':').with(field, value).join(':') ?? ''
    const { code, message } = refusalOf(() => requireHead(line, vaultId, reader))
    expect(code).toBe('vault-damaged')
    expect(message).toMatch(said)
  })
})
