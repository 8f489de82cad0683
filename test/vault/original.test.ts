import { describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { realDisk } from '../../src/base/disk.ts'
import { asKmsError, KmsError } from '../../src/base/errors.ts'
import { openOriginal, readOriginal } from '../../src/vault/original.ts'
import type { OriginalEntry } from '../../src/vault/original-entry.ts'
import {
  decryptOriginal,
  encryptOriginal,
  recordedFile,
  recordedFiles,
  recordedPath,
  secretOf,
  textOf,
} from '../support/original-file.ts'

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)
const id = '5111f86f-a35b-4472-93c1-be840a67641d'

/** An entry as JSON.parse would show it, so that both can be compared. */
function plain(entry: OriginalEntry): readonly [string | undefined, Record<string, unknown>] {
  const { network, chain, xpub, address } = entry
  const members = {
    mnemonic: textOf(entry.mnemonic),
    privateKey: textOf(entry.privateKey),
    secret: textOf(entry.secret),
    xpub,
    address,
    chain,
    testnet: network === undefined ? undefined : network === 'testnet',
  }
  const given = Object.entries(members).filter(([, value]) => value !== undefined)
  return [entry.id, Object.fromEntries(given)]
}

/** All entries, oldest first. */
function open(file: Uint8Array, password: string): readonly ReturnType<typeof plain>[] {
  using secret = secretOf(password)
  using original = openOriginal(file, secret)
  const found: ReturnType<typeof plain>[] = []
  for (using entry of original.entries()) found.push(plain(entry))
  return found
}

function codeOf(work: () => unknown): string | undefined {
  try {
    work()
    return undefined
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(KmsError)
    return asKmsError(thrown).code
  }
}

const openPlain = (plaintext: string | Uint8Array) => open(encryptOriginal(plaintext, 'pw'), 'pw')

describe.each(recordedFiles)('the recorded file $file', ({ file, password, ...facts }) => {
  const bytes = readFileSync(recordedPath(file))

  test('opens with all its wallets, oldest first', () => {
    const plaintext = decryptOriginal(bytes, password)
    expect(createHash('sha256').update(plaintext).digest('hex')).toBe(facts.plaintextSha256)
    const found = open(bytes, password)
    expect(found).toEqual(Object.entries(JSON.parse(plaintext.toString())).reverse() as never)
    expect(found).toHaveLength(facts.entries)
    expect(found.at(-1)?.[0] ?? null).toBe(facts.firstId)
  })

  test('opens behind a trailing newline', () => {
    expect(open(Buffer.concat([bytes, Buffer.from('\n')]), password)).toHaveLength(facts.entries)
  })

  test('does not open with another password', () => {
    for (const other of ['', 'x', `${password} `, password.toUpperCase()]) {
      expect(codeOf(() => open(bytes, other))).toBe('wrong-password')
    }
  })

  test('does not open when its end is missing', () => {
    const cuts = [0, 1, 9, 10, 31, 43, bytes.length - 1, bytes.length - 4, bytes.length - 64]
    for (const cut of cuts.filter(length => length >= 0 && length < bytes.length)) {
      const code = codeOf(() => open(bytes.subarray(0, cut), password)) ?? ''
      expect(['vault-damaged', 'wrong-password']).toContain(code)
    }
  })
})

describe('a damaged file', () => {
  const { password } = recordedFile('simple.dat')
  const bytes = readFileSync(recordedPath('simple.dat'))

  test('of which any byte was changed is refused by name, or reads as wallets', () => {
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = Buffer.from(bytes)
        changed[at] = (changed[at] ?? 0) ^ flip
        const code = codeOf(() => open(changed, password)) ?? 'opened'
        expect(['vault-damaged', 'wrong-password', 'opened']).toContain(code)
      }),
      { numRuns },
    )
  })

  test('never comes with its contents in the message', () => {
    for (let at = 24; at < bytes.length; at += 16) {
      const changed = Buffer.from(bytes)
      changed[at] = changed[at] === 0x41 ? 0x42 : 0x41
      try {
        open(changed, password)
      } catch (thrown) {
        expect(Bun.inspect(thrown)).not.toMatch(/volcano|abandon|sEdT4|b5a4cea2/)
      }
    }
  })

  test.each([
    ['is empty', ''],
    ['is not base64', '{"not":"base64"}'],
    ['has spaces inside', `${bytes.toString().slice(0, 64)} ${bytes.toString().slice(64)}`],
    ['does not begin with Salted__', Buffer.alloc(96).toString('base64')],
    ['has no ciphertext', Buffer.from('Salted__12345678').toString('base64')],
    ['is a vault of this program', Buffer.from('tatumkms\0\u0001').toString('latin1')],
  ])('that %s is called damaged', (_, text) => {
    expect(codeOf(() => open(Buffer.from(text), password))).toBe('vault-damaged')
  })
})

describe('a decrypted file', () => {
  test.each([
    ['nothing', ''],
    ['no JSON', 'not JSON at all, whatever it is'],
    ['a list', '[{"mnemonic":"a"}]'],
    ['half of JSON', `{"${id}":{"mnemonic":"abandon aba`],
    ['a wallet that is text', `{"${id}":"abandon"}`],
    ['a wallet that is a list', `{"${id}":[]}`],
    ['a deep list', '['.repeat(1_000_000)],
    ['a deep object', '{"a":'.repeat(1_000_000)],
    ['a deep member', `{"${id}":{"mnemonic":${'[{"a":'.repeat(300_000)}`],
    ['text behind the object', '{}{}'],
    ['half of a surrogate pair', `{"${id}":{"mnemonic":"\\ud83d"}}`],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0xff, 0x7d])],
    [
      'a surrogate in UTF-8',
      Buffer.from([...'{"'].map(c => c.charCodeAt(0)).concat(0xed, 0xa0, 0x80)),
    ],
  ])('with %s counts as a wrong password', (_, plaintext) => {
    expect(codeOf(() => openPlain(plaintext))).toBe('wrong-password')
  })

  test('with one id twice is refused', () => {
    const entry = '{"privateKey":"a","chain":"ETH","testnet":false}'
    const text = `{"${id}":${entry},"${id}":${entry}}`
    expect(codeOf(() => openPlain(text))).toBe('vault-damaged')
    const escaped = `{"${id}":${entry},"\\u0035${id.slice(1)}":${entry}}`
    expect(codeOf(() => openPlain(escaped))).toBe('vault-damaged')
  })

  test('with a member twice in one wallet is refused', () => {
    const text = `{"${id}":{"mnemonic":"a","\\u006dnemonic":"b"}}`
    expect(codeOf(() => openPlain(text))).toBe('vault-damaged')
  })

  test('has ids that are UUIDs; any other name is none', () => {
    const names = ['__proto__', 'constructor', '', 'toString', id.toUpperCase(), `${id}x`, '1', id]
    const entries = names.map(name => `${JSON.stringify(name)}:{"__proto__":"x","chain":"BTC"}`)
    const found = openPlain(`{${entries.join(',')}}`)
    expect(found.map(([name]) => name).reverse()).toEqual([...Array(7).fill(undefined), id])
    expect(found.map(([, members]) => members)).toEqual(
      Array(8).fill({ chain: 'BTC', testnet: false }),
    )
  })

  test('tells of public members only what can be printed', () => {
    const member = (chain: string) => `{"${id}":{"chain":${JSON.stringify(chain)}}}`
    for (const chain of ['', 'B TC', 'B\nC', '\u001b[31m', 'ЕТН', 'X'.repeat(33), '../x']) {
      expect(openPlain(member(chain))[0]?.[1]).toEqual({ testnet: false })
    }
    const long = `{"${id}":{"xpub":"${'x'.repeat(1025)}","address":"\\u0007"}}`
    expect(openPlain(long)[0]?.[1]).toEqual({ testnet: false })
  })

  test('tells of secrets only those that are text, and of the network only what it says', () => {
    const text = `{"${id}":{"mnemonic":null,"privateKey":12,"secret":true,"testnet":1,"other":"x"}}`
    expect(openPlain(text)[0]?.[1]).toEqual({})
  })

  test('keeps every secret byte for byte, escapes undone', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), secret => {
        const text = JSON.stringify({ [id]: { privateKey: secret, testnet: true } })
        expect(openPlain(text)).toEqual([[id, { privateKey: secret, testnet: true }]])
      }),
      { numRuns },
    )
  })
})

describe('reading', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kms-original-'))
  const codeOfReading = (path: string) => codeOf(() => readOriginal(realDisk, path))

  test('refuses what is missing, no regular file, a link, or too large', () => {
    const file = join(folder, 'file')
    writeFileSync(file, 'x')
    symlinkSync(file, join(folder, 'link'))
    mkdirSync(join(folder, 'folder'))
    writeFileSync(join(folder, 'large'), '')
    truncateSync(join(folder, 'large'), 2 ** 26 + 1)
    try {
      expect(readOriginal(realDisk, file).bytes).toEqual(Buffer.from('x'))
      expect(codeOfReading(join(folder, 'none'))).toBe('vault-missing')
      expect(codeOfReading(join(folder, 'file/none'))).toBe('vault-missing')
      expect(codeOfReading(join(folder, 'link'))).toBe('unsafe-permissions')
      expect(codeOfReading(join(folder, 'folder'))).toBe('vault-damaged')
      expect(codeOfReading(join(folder, 'large'))).toBe('vault-damaged')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
