import { Database } from 'bun:sqlite'
import { afterAll, describe, expect, test } from 'bun:test'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Ledger, type LedgerEntry, openLedger } from '../../src/signer/ledger.ts'
import { refusalOf, secretOf } from '../support/secret.ts'

const auditKey = secretOf(new Uint8Array(32).fill(1))
const folder = mkdtempSync(join(tmpdir(), 'kms-ledger-'))
let made = 0

afterAll(() => rmSync(folder, { recursive: true }))

describe('what was signed', () => {
  test('is found again, also after the ledger was closed', () => {
    const path = newPath()
    withLedger(path, ledger => ledger.commit([entry(1), entry(2)]))
    withLedger(path, ledger => {
      const { chain, network, serializedHash, txData, txId } = entry(2)
      const found = ledger.find(entry(2).pendingId)
      expect(found && { ...found, serializedHash: Buffer.from(found.serializedHash) }).toEqual({
        chain,
        network,
        serializedHash: Buffer.from(serializedHash),
        txData,
        txId,
      })
      expect(ledger.find('unknown')).toBeUndefined()
      expect(ledger.count()).toBe(2)
    })
  })

  test('is known by its id among many, and so is what was cancelled', () => {
    withLedger(newPath(), ledger => {
      const given = `${entry(3).pendingId}`
      ledger.commit([entry(1), { ...entry(2), pendingId: `cancel/${given}`, claims: [] }])
      const strangers = Array.from({ length: 500 }, (_, i) => `stranger-${i}`)
      const known = ledger.known([...strangers, given, entry(1).pendingId, entry(1).pendingId])
      expect([...known].sort()).toEqual([given, entry(1).pendingId].sort())
      expect(ledger.known([])).toEqual(new Set())
      expect(ledger.known(['"', "'", '%', '__proto__', ''])).toEqual(new Set())
    })
  })

  test('is never replaced: a second entry of the same id is refused, and so is its batch', () => {
    withLedger(newPath(), ledger => {
      ledger.commit([entry(1)])
      const other = { ...entry(1), txData: 'other bytes', claims: ['nonce/0xaa/77'] }
      expect(refusalOf(() => ledger.commit([entry(2), other])).code).toBe('disk')
      expect(ledger.find(entry(1).pendingId)?.txData).toBe(entry(1).txData)
      expect(ledger.find(entry(2).pendingId)).toBeUndefined()
      expect(ledger.count()).toBe(1)
      ledger.commit([entry(2)])
      expect(ledger.count()).toBe(2)
    })
  })

  test('an empty batch writes nothing', () => {
    const path = newPath()
    withLedger(path, ledger => ledger.commit([]))
    expect(rows(path, 'SELECT * FROM commits')).toEqual([])
  })
})

describe('claims', () => {
  test('belong to one payment for ever, per chain and network', () => {
    withLedger(newPath(), ledger => {
      ledger.commit([{ ...entry(1), claims: ['output/aa:0', 'output/bb:1'] }])
      expect(ledger.claimant('ETH', 'mainnet', 'output/bb:1')).toBe(entry(1).pendingId)
      expect(ledger.claimant('ETH', 'testnet', 'output/bb:1')).toBeUndefined()
      expect(ledger.claimant('BTC', 'mainnet', 'output/bb:1')).toBeUndefined()
      expect(ledger.claimant('ETH', 'mainnet', 'output/bb:10')).toBeUndefined()
      const thief = { ...entry(2), claims: ['output/cc:0', 'output/bb:1'] }
      expect(refusalOf(() => ledger.commit([thief])).code).toBe('disk')
      expect(ledger.claimant('ETH', 'mainnet', 'output/cc:0')).toBeUndefined()
    })
  })

  test('of nonces say which number comes next', () => {
    withLedger(newPath(), ledger => {
      const next = () => ledger.nextNonce('ETH', 'mainnet', '0xaa')
      expect(next()).toBeUndefined()
      ledger.commit([{ ...entry(1), claims: ['nonce/0xaa/0'] }])
      expect(next()).toBe(1n)
      ledger.commit([{ ...entry(2), claims: ['nonce/0xaa/9007199254740991'] }])
      expect(next()).toBe(9_007_199_254_740_992n)
      ledger.commit([{ ...entry(3), claims: ['nonce/0xaa/5'] }])
      expect(next()).toBe(9_007_199_254_740_992n)
      expect(ledger.nextNonce('ETH', 'testnet', '0xaa')).toBeUndefined()
      expect(ledger.nextNonce('ETH', 'mainnet', '0xab')).toBeUndefined()
    })
  })
})

describe('a claim that is released', () => {
  const claim = 'output/1:0'
  const owner = (ledger: Ledger) => ledger.claimant('ETH', 'mainnet', claim)

  test('is nobody’s until another payment takes it, also after the ledger was closed', () => {
    const path = newPath()
    withLedger(path, ledger => {
      ledger.commit([entry(1)])
      ledger.commit([release(1, claim)])
      expect(owner(ledger)).toBeUndefined()
      expect(ledger.claims(entry(1).pendingId)).toEqual(['nonce/0xaa/1'])
      expect(ledger.released(entry(1).pendingId)).toEqual([claim])
    })
    withLedger(path, ledger => {
      expect(owner(ledger)).toBeUndefined()
      ledger.commit([{ ...entry(2), claims: [claim] }])
      expect(owner(ledger)).toBe(entry(2).pendingId)
      const thief = { ...entry(3), claims: [claim] }
      expect(refusalOf(() => ledger.commit([thief])).code).toBe('disk')
    })
    withLedger(path, ledger => {
      expect(owner(ledger)).toBe(entry(2).pendingId)
      expect(ledger.released(entry(1).pendingId)).toEqual([claim])
      ledger.commit([release(2, claim)])
    })
    withLedger(path, ledger => expect(owner(ledger)).toBeUndefined())
  })

  test('must be somebody’s', () => {
    withLedger(newPath(), ledger => {
      ledger.commit([entry(1)])
      expect(refusalOf(() => ledger.commit([release(1, 'output/9:0')])).code).toBe('unexpected')
      expect(ledger.cancellation(entry(1).pendingId)).toBeUndefined()
      expect(ledger.count()).toBe(1)
    })
  })

  test.each([
    'UPDATE claims SET released_by = NULL',
    `UPDATE claims SET released_by = 'cancel/${'1'.padStart(24, '0')}' WHERE claim = 'output/2:0'`,
    `UPDATE claims SET released_by = '${'1'.padStart(24, '0')}' WHERE claim = 'output/2:0'`,
    `PRAGMA foreign_keys = OFF; UPDATE claims SET released_by = 'nothing' WHERE claim = 'output/2:0'`,
    `DELETE FROM claims WHERE released_by IS NOT NULL`,
    `PRAGMA foreign_keys = OFF; DELETE FROM signed WHERE pending_id LIKE 'cancel/%'`,
    `UPDATE signed SET pending_id = 'cancel/x' WHERE pending_id LIKE 'cancel/%'; UPDATE claims SET released_by = 'cancel/x' WHERE released_by IS NOT NULL`,
  ])('is sealed: %s', edit => {
    const path = newPath()
    withLedger(path, ledger => {
      ledger.commit([entry(1), entry(2)])
      ledger.commit([release(1, claim)])
    })
    change(path, `PRAGMA foreign_keys = OFF; ${edit}`)
    expect(refusalOf(() => openLedger(path, auditKey)).code).toBe('vault-damaged')
  })
})

describe('a payment that was signed anew', () => {
  test('is found with its newest bytes, and all of them are kept', () => {
    const path = newPath()
    const { pendingId } = entry(1)
    const again = (n: number): LedgerEntry => ({
      ...entry(n),
      pendingId: `resign/${n}/${pendingId}`,
    })
    withLedger(path, ledger => {
      ledger.commit([entry(1)])
      for (const n of [1, 2]) {
        ledger.commit([{ ...again(n), txData: `0x${n}${n}`, claims: [`tx/${n}`] }])
      }
    })
    withLedger(path, ledger => {
      expect(ledger.find(pendingId)?.txData).toBe('0x22')
      expect(ledger.history(pendingId).map(({ txData }) => txData)).toEqual(['0x1', '0x11', '0x22'])
      expect(ledger.claimant('ETH', 'mainnet', 'tx/2')).toBe(pendingId)
      expect(ledger.claims(pendingId).toSorted()).toEqual([
        'nonce/0xaa/1',
        'output/1:0',
        'tx/1',
        'tx/2',
      ])
    })
  })
})

describe('the seal', () => {
  test('refuses the ledger of another vault', () => {
    const path = sealedLedger()
    const foreign = secretOf(new Uint8Array(32).fill(2))
    expect(refusalOf(() => openLedger(path, foreign)).code).toBe('vault-damaged')
    withLedger(path, ledger => expect(ledger.count()).toBe(3))
  })

  test.each([
    `UPDATE signed SET tx_data = 'other bytes' WHERE rowid = 1`,
    `UPDATE signed SET tx_id = 'other' WHERE rowid = 3`,
    `UPDATE signed SET chain = 'BTC'`,
    `UPDATE signed SET network = 'testnet'`,
    `UPDATE signed SET serialized_hash = x'00' WHERE rowid = 1`,
    `UPDATE signed SET facts = '{}' WHERE rowid = 2`,
    'UPDATE signed SET signed_at = signed_at + 1 WHERE rowid = 1',
    'UPDATE signed SET commit_number = 2',
    `UPDATE claims SET claim = 'nonce/0xaa/77' WHERE claim = 'nonce/0xaa/1'`,
    `UPDATE claims SET network = 'testnet'`,
    `DELETE FROM claims WHERE claim = 'nonce/0xaa/1'`,
    'DELETE FROM claims',
    `INSERT INTO claims SELECT 'BTC', network, 'output/9:9', pending_id, NULL FROM signed WHERE rowid = 1`,
    `INSERT INTO decisions SELECT 1, '', chain, network, serialized_hash, '', '', '', '', '', 1 FROM signed WHERE rowid = 1`,
    `UPDATE commits SET digest = x'${'00'.repeat(32)}' WHERE number = 1`,
    'DELETE FROM claims; DELETE FROM signed WHERE rowid = 1',
    `INSERT INTO signed SELECT 'ff', 1, chain, network, serialized_hash, tx_data, tx_id, facts, 1 FROM signed WHERE rowid = 1`,
    `UPDATE commits SET mac = x'00' WHERE number = 2`,
    `UPDATE commits SET mac = x'${'00'.repeat(32)}' WHERE number = 1`,
    'PRAGMA foreign_keys = OFF; DELETE FROM commits WHERE number = 1',
    'PRAGMA foreign_keys = OFF; DELETE FROM commits',
    'PRAGMA foreign_keys = OFF; UPDATE commits SET number = 7 WHERE number = 2',
  ])('refuses a ledger after %s', edit => {
    const path = sealedLedger()
    change(path, edit)
    expect(refusalOf(() => openLedger(path, auditKey)).code).toBe('vault-damaged')
  })

  test('does not mind how many commits there are', () => {
    const path = newPath()
    withLedger(path, ledger => {
      for (let n = 0; n < 50; n++) ledger.commit([entry(2 * n), entry(2 * n + 1)])
    })
    withLedger(path, ledger => expect(ledger.count()).toBe(100))
  })
})

describe('the vault generation', () => {
  test('an older one than was seen is refused, also after the ledger was closed', () => {
    const path = newPath()
    withLedger(path, ledger => {
      ledger.checkGeneration(5n)
      ledger.checkGeneration(5n)
      ledger.checkGeneration(7n)
    })
    withLedger(path, ledger => {
      expect(refusalOf(() => ledger.checkGeneration(6n)).code).toBe('vault-rolled-back')
      ledger.checkGeneration(8n)
    })
  })
})

describe('trouble with the file', () => {
  test.skipIf(process.platform === 'win32').each(['signature', 'decisions'] as const)(
    'a disk that is full for the %s is a fault: nothing is signed, what was there before stays',
    async what => {
      const path = sealedLedger()
      // A file size limit stands in for the disk: 64 blocks of 1,024 bytes.
      const limited = `trap '' XFSZ; ulimit -f 64; exec "$0" -e "$1"`
      const child = Bun.spawn(['bash', '-c', limited, process.execPath, fillUp(path, what)], {
        stdout: 'pipe',
      })
      expect(await new Response(child.stdout).text()).toMatch(/^disk SQLITE_\w+ true\n$/)
      withLedger(path, ledger => {
        expect(ledger.count()).toBe(3)
        ledger.commit([entry(9)])
      })
      withLedger(path, ledger => expect(ledger.count()).toBe(4))
    },
  )

  test.skipIf(process.getuid?.() === 0)('a file that may not be written to is one, too', () => {
    const path = sealedLedger()
    chmodSync(path, 0o400)
    expect(refusalOf(() => withLedger(path, ledger => ledger.commit([entry(9)]))).code).toBe('disk')
  })

  test('one that can no longer be read is a fault of the disk, whatever is asked', () => {
    const path = sealedLedger()
    withLedger(path, ledger => {
      change(path, 'PRAGMA foreign_keys = OFF; DROP TABLE decisions; DROP TABLE claims')
      change(path, 'PRAGMA foreign_keys = OFF; DROP TABLE nonces; DROP TABLE signed')
      change(path, 'DROP TABLE commits')
      const { pendingId } = entry(1)
      const address = '0xaa'
      for (const read of [
        () => ledger.find(pendingId),
        () => ledger.history(pendingId),
        () => ledger.claims(pendingId),
        () => ledger.released(pendingId),
        () => ledger.facts(pendingId),
        () => ledger.cancellation(pendingId),
        () => ledger.claimant('ETH', 'mainnet', 'nonce/0xaa/1'),
        () => [...ledger.signedSince(0)],
        () => ledger.nextNonce('ETH', 'mainnet', address),
        () => ledger.denied(pendingId),
        () => ledger.checkGeneration(1n),
        () => ledger.seenGeneration(),
        () => ledger.commits(),
      ]) {
        expect(refusalOf(read)).toMatchObject({
          code: 'disk',
          message: 'the ledger could not be read (SQLITE_ERROR)',
        })
      }
      expect(ledger.count()).toBe(3)
    })
  })

  test('another writer makes the commit a fault, not a second truth', () => {
    const path = sealedLedger()
    withLedger(path, ledger => {
      const other = new Database(path)
      other.run('BEGIN IMMEDIATE')
      expect(refusalOf(() => ledger.commit([entry(9)])).code).toBe('disk')
      other.run('ROLLBACK')
      other.close()
      ledger.commit([entry(9)])
      expect(ledger.count()).toBe(4)
    })
    // The ledger waits five seconds for the other one.
  }, 15_000)

  test.each([
    ['text', 'not a database, but long enough to look at'.repeat(100)],
    ['zeros', '\0'.repeat(8192)],
  ])('a file of %s is damaged and stays as it is', async (_, content) => {
    const path = newPath()
    writeFileSync(path, content)
    expect(refusalOf(() => openLedger(path, auditKey)).code).toBe('vault-damaged')
    expect(await Bun.file(path).text()).toBe(content)
  })

  test('a ledger with a torn page is damaged', () => {
    const path = sealedLedger()
    change(path, 'PRAGMA wal_checkpoint(TRUNCATE)')
    writeFileSync(path, readFileSync(path).fill(0xff, 4096, 8192))
    expect(refusalOf(() => openLedger(path, auditKey)).code).toBe('vault-damaged')
  })

  test('a newer version is refused, not guessed at', () => {
    const path = sealedLedger()
    change(path, 'PRAGMA user_version = 3')
    expect(refusalOf(() => openLedger(path, auditKey)).code).toBe('vault-damaged')
  })

  test('a folder in its place, or none to put it in, is a fault of the disk', () => {
    expect(refusalOf(() => openLedger(folder, auditKey)).code).toBe('disk')
    expect(refusalOf(() => openLedger(join(folder, 'no/such'), auditKey)).code).toBe('disk')
  })
})

function entry(n: number): LedgerEntry {
  return {
    pendingId: `${n}`.padStart(24, '0'),
    chain: 'ETH',
    network: 'mainnet',
    serializedHash: new Uint8Array(32).fill(n),
    txData: `0x${n}`,
    txId: `id ${n}`,
    facts: { kind: 'transfer', n },
    claims: [`nonce/0xaa/${n}`, `output/${n}:0`],
    signedAt: 1_700_000_000_000 + n,
  }
}

function release(n: number, claim: string): LedgerEntry {
  const pendingId = `cancel/${entry(n).pendingId}`
  return { ...entry(n), pendingId, txData: '', txId: '', claims: [], releases: [claim] }
}

function newPath(): string {
  return join(folder, `ledger-${made++}`)
}

function sealedLedger(): string {
  const path = newPath()
  withLedger(path, ledger => {
    ledger.commit([entry(1), entry(2)])
    ledger.commit([entry(3)])
  })
  return path
}

function withLedger(path: string, work: (ledger: Ledger) => void): void {
  using ledger = openLedger(path, auditKey)
  work(ledger)
}

function change(path: string, sql: string): void {
  const db = new Database(path)
  for (const statement of sql.split('; ')) db.run(statement)
  db.close()
}

/** A program that commits something large, says how that failed, and whether nothing of it is found. */
function fillUp(path: string, what: 'signature' | 'decisions'): string {
  const source = (file: string) => JSON.stringify(join(import.meta.dir, '../..', file))
  return `
    const { openLedger } = await import(${source('src/signer/ledger.ts')})
    const { secretOf } = await import(${source('test/support/secret.ts')})
    const ledger = openLedger(${JSON.stringify(path)}, secretOf(new Uint8Array(32).fill(1)))
    const serializedHash = new Uint8Array(32)
    const about = { ...${JSON.stringify(entry(9))}, serializedHash }
    const entry = ${what === 'signature' ? "{ ...about, txData: 'x'.repeat(200_000) }" : 'about'}
    const decisions = Array.from({ length: ${what === 'decisions' ? 1_000 : 0} }, (_, n) => ({
      ...about, pendingId: String(n), what: 'refused', code: 'transaction-refused',
      reason: 'long '.repeat(100), digest: null, by: [], decidedAt: 0,
    }))
    try {
      ledger.commit([entry], decisions)
      console.log('committed')
    } catch (fault) {
      const [code] = /SQLITE_\\w+/.exec(fault.message) ?? []
      console.log(fault.code, code, ledger.find(entry.pendingId) === undefined)
    }`
}

function rows(path: string, sql: string): readonly unknown[] {
  const db = new Database(path)
  const found = db.query(sql).all()
  db.close()
  return found
}
