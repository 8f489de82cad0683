import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runProgram } from '../support/program.ts'

let home = ''
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'kms-parallel-'))
  writeFileSync(join(home, 'pw'), 'a password of many words\n', { mode: 0o600 })
})
afterAll(() => rmSync(home, { recursive: true }))

const kms = (...args: string[]) => runProgram([...args, '--password-file=pw'], { home })

// The original reports ten ids and stores 1, 8 or 4 of them (protocol/original-behaviour.md, D4).
test('ten commands at once store ten wallets, the making of the vault included', async () => {
  const runs = await Promise.all(
    Array.from({ length: 10 }, (_, i) =>
      kms('generatemanagedwallet', i % 2 ? 'BTC' : 'ETH', '--kdf-cost=14'),
    ),
  )
  for (const run of runs) expect(run).toMatchObject({ status: 0, stderr: '' })
  const ids = runs.map(({ stdout }): string => JSON.parse(stdout).signatureId)
  expect(new Set(ids).size).toBe(10)
  const { stdout } = await kms('export')
  expect(Object.keys(JSON.parse(stdout)).sort()).toEqual(ids.toSorted())

  const removals = await Promise.all(ids.slice(0, 4).map(id => kms('removewallet', id)))
  expect(removals.map(({ status }) => status)).toEqual([0, 0, 0, 0])
  const { stdout: rest } = await kms('export')
  expect(Object.keys(JSON.parse(rest)).sort()).toEqual(ids.slice(4).sort())
  const left = readdirSync(join(home, '.tatumrc')).sort()
  expect(left).toEqual(['wallet.dat', 'wallet.dat.lock'])
}, 60_000)
