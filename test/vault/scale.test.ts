import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { concatAll } from '../../src/base/bytes.ts'
import { appendRecords, emptyBody, indexBody, type WalletRecord } from '../../src/vault/records.ts'
import { openVault } from '../../src/vault/vault.ts'
import { change, keyOf, mnemonicOf, password } from '../support/memory-vault.ts'
import { revealedText } from '../support/secret.ts'
import { vaultPlace } from '../support/test-vault.ts'

const many = 20_000

let home = ''
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'kms-scale-'))
})
afterAll(() => rmSync(home, { recursive: true }))

test(`a vault of ${many} wallets takes one more, lists, finds and reveals them all`, async () => {
  const place = vaultPlace(home)
  const ids = await change(place, draft =>
    Array.from({ length: many }, (_, i) => {
      const made = i % 100 === 0 ? mnemonicOf(`mnemonic ${i}`) : keyOf(`key ${i}`)
      using _secret = made.secret
      using _node = made.node
      return draft.add(made).id
    }),
  )
  const [last] = await change(place, draft => [draft.add(keyOf('one more')).id])
  using vault = openVault(place, password)
  expect(Bun.deepEquals([...vault.ids()], [...ids, last])).toBe(true)
  let listed = 0
  for (const info of vault.list()) {
    expect(vault.find(info.id)?.address).toBe(info.address)
    listed++
  }
  expect(listed).toBe(many + 1)
  for (const i of [0, 1, many >> 1, many - 1]) {
    using secret = vault.reveal(ids[i] ?? '')
    const text = secret.mnemonic ?? secret.keyText
    expect(text && revealedText(text)).toBe(i % 100 === 0 ? `mnemonic ${i}` : `key ${i}`)
  }
  expect(vault.find(crypto.randomUUID())).toBeUndefined()
}, 60_000)

test('the index finds ids that differ in one byte only, and each of them once', () => {
  const records = Array.from({ length: many }, (_, i) => recordOf(idOf(i)))
  const index = indexBody(appendRecords(emptyBody, records))
  expect(index.size).toBe(many)
  const found = records.filter(({ info }) => index.has(info.id))
  expect(found).toHaveLength(many)
  for (let i = many; i < 2 * many; i++) expect(index.has(idOf(i))).toBe(false)
  for (const strange of ['', 'constructor', idOf(0).toUpperCase(), `${idOf(0)}0`]) {
    expect(index.get(strange)).toBeUndefined()
  }
})

test('more parts than a call takes arguments are joined', () => {
  expect(concatAll(new Array(1_000_000).fill(Uint8Array.of(1))).length).toBe(1_000_000)
})

function idOf(i: number): string {
  return `abcdefab-0000-4000-8000-${i.toString(16).padStart(12, '0')}`
}

function recordOf(id: string): WalletRecord {
  return {
    info: { id, chain: 'ETH', network: 'mainnet', kind: 'key', createdAt: 0 },
    sealedSecret: Uint8Array.of(1),
  }
}
