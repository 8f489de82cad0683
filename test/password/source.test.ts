import { afterAll, describe, expect, test } from 'bun:test'
import {
  chmodSync,
  chownSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { pipe, writeOut } from '../../src/base/native.ts'
import { credentialSource, fdSource, fileSource, wholeSource } from '../../src/password/source.ts'
import { expectSilence, refusalOf, revealed, revealedText, secretOf } from '../support/secret.ts'

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)
const folder = mkdtempSync(join(tmpdir(), 'kms-password-'))
const path = join(folder, 'a password')
const secret = 'hunter2hunter2hunter2'

afterAll(() => rmSync(folder, { recursive: true }))

/** What is written, and the password that makes. */
const lines: readonly (readonly [name: string, content: string, password: string])[] = [
  ['a line', 'correct horse\n', 'correct horse'],
  ['a line without its end', 'correct horse', 'correct horse'],
  ['a line of Windows', 'correct horse\r\n', 'correct horse'],
  ['two lines', 'correct horse\nbattery\n', 'correct horse'],
  ['spaces around it', '  correct horse \t\n', '  correct horse \t'],
  ['a carriage return inside', 'correct\rhorse\n', 'correct\rhorse'],
  ['two carriage returns', 'correct\r\r\n', 'correct\r'],
  ['a carriage return and no line end', 'correct\r', 'correct\r'],
  ['bytes that are no text', 'a\0b\x03\x04\x1b\xff', 'a\0b\x03\x04\x1b\xff'],
  ['4096 bytes', 'a'.repeat(4096), 'a'.repeat(4096)],
  ['4096 bytes and a line end', `${'a'.repeat(4096)}\n`, 'a'.repeat(4096)],
  ['4096 bytes and a line end of Windows', `${'a'.repeat(4096)}\r\n`, 'a'.repeat(4096)],
]

const refused: readonly (readonly [name: string, content: string, complaint: string])[] = [
  ['nothing', '', 'holds no password'],
  ['an empty line', '\n', 'holds no password'],
  ['an empty line of Windows', '\r\n', 'holds no password'],
  ['an empty line before the password', '\ncorrect', 'holds no password'],
  ['4097 bytes', 'a'.repeat(4097), 'longer than 4096 bytes'],
  ['4097 bytes and a line end', `${'a'.repeat(4097)}\n`, 'longer than 4096 bytes'],
  ['4097 bytes and a line end of Windows', `${'a'.repeat(4097)}\r\n`, 'longer than 4096 bytes'],
  ['a megabyte', 'a'.repeat(1 << 20), 'longer than 4096 bytes'],
]

describe('a password file', () => {
  test.each(lines)('with %s', (_, content, password) => {
    writePassword(content)
    expect(passwordIn(path)).toBe(password)
  })

  test.each(refused)('with %s is refused', (_, content, complaint) => {
    writePassword(content)
    expect(complaintAbout(path)).toContain(complaint)
  })

  test('gives any first line as it stands', () => {
    const line = fc
      .uint8Array({ minLength: 1, maxLength: 200 })
      .filter(bytes => !bytes.includes(0x0a) && bytes.at(-1) !== 0x0d)
    const check = (line: Uint8Array, rest: Uint8Array) => {
      writePassword(Buffer.concat([line, Buffer.from('\n'), rest]))
      using password = fileSource(path).read(false)
      expect(line).toEqual(revealed(password))
    }
    fc.assert(fc.property(line, fc.uint8Array({ maxLength: 50 }), check), { numRuns })
  })

  test.each([0o600, 0o400, 0o700])('with mode %o is read', mode => {
    writePassword(secret, mode)
    expect(passwordIn(path)).toBe(secret)
  })

  test.each([0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o666])('with mode %o is refused', mode => {
    writePassword(secret, mode)
    const refusal = refusalOf(() => fileSource(path).read(false))
    expect(refusal.code).toBe('unsafe-permissions')
    expectSilence(refusal, secret)
  })

  test.skipIf(process.geteuid?.() !== 0)('of somebody else is refused (only root can try)', () => {
    writePassword(secret)
    chownSync(path, 12_345, 12_345)
    expect(refusalOf(() => fileSource(path).read(false)).code).toBe('unsafe-permissions')
    rmSync(path)
  })

  test('may be reached by a link: what it leads to must be safe', () => {
    const link = join(folder, 'link')
    symlinkSync(path, link)
    writePassword(secret)
    expect(passwordIn(link)).toBe(secret)
    chmodSync(path, 0o644)
    expect(refusalOf(() => fileSource(link).read(false)).code).toBe('unsafe-permissions')
    rmSync(link)
  })

  test('that is a folder is refused', () => {
    const other = join(folder, 'folder')
    mkdirSync(other, { mode: 0o700 })
    expect(complaintAbout(other)).toBe('the password file is neither a file nor a pipe')
  })

  test('that is missing is refused without quoting its name', () => {
    const refusal = refusalOf(() => fileSource(join(folder, secret)).read(false))
    expect(refusal.code).toBe('usage')
    expect(refusal.message).toBe('the password file cannot be opened (ENOENT)')
    expectSilence(refusal, secret)
  })

  test.each(['', '\0', 'a\0b', 'x'.repeat(10_000)])('of a strange name is refused: %#', name => {
    expect(refusalOf(() => fileSource(name).read(false)).code).toBe('usage')
  })

  test('leaves no descriptor open, whatever happens', () => {
    const next = () => {
      const fd = openSync('/dev/null', 'r')
      closeSync(fd)
      return fd
    }
    const before = next()
    for (const [, content] of [...lines, ...refused]) {
      writePassword(content)
      if (content.length % 2 === 0) chmodSync(path, 0o644)
      attempt(() => fileSource(path).read(false).wipe())
    }
    expect(next()).toBe(before)
  })
})

describe('a credential of systemd', () => {
  const credentials = join(folder, 'credentials')
  const credential = join(credentials, 'vault-password')
  const store = (mode: number) => {
    rmSync(credentials, { recursive: true, force: true })
    mkdirSync(credentials, { mode: 0o700 })
    writeFileSync(credential, `${secret}\nmore`)
    chmodSync(credential, mode)
  }

  // Where the file system has access lists, a service's user reads it by way of one: its mask is
  // what the mode shows for the group.
  test.each([0o400, 0o600, 0o440])('with mode %o is read', mode => {
    store(mode)
    using password = credentialSource(credentials)?.read(false)
    expect(password && revealedText(password)).toBe(secret)
  })

  test.each([0o404, 0o460, 0o444, 0o402])('with mode %o is refused', mode => {
    store(mode)
    const refusal = refusalOf(() => credentialSource(credentials)?.read(false))
    expect(refusal.code).toBe('unsafe-permissions')
    expect(refusal.message).toBe('others can read or replace the credential vault-password')
    expectSilence(refusal, secret)
  })

  test('that is not there is none', () => {
    expect(credentialSource(folder)).toBeUndefined()
    expect(credentialSource(join(folder, 'missing'))).toBeUndefined()
  })
})

describe('an inherited descriptor', () => {
  test.each(lines)('of a pipe with %s', (_, content, password) => {
    withPipe(content, fd => {
      using read = fdSource(fd).read(false)
      expect(revealedText(read)).toBe(password)
    })
  })

  test.each(refused.slice(0, -1))('of a pipe with %s is refused', (_, content, complaint) => {
    withPipe(content, fd => {
      const refusal = refusalOf(() => fdSource(fd).read(false))
      expect(refusal.code).toBe('usage')
      expect(refusal.message).toContain(complaint)
    })
  })

  test('keeps what comes after the first line for others', () => {
    withPipe('correct horse\nbattery', fd => {
      fdSource(fd).read(false).wipe()
      const rest = Buffer.alloc(100)
      expect(rest.toString('utf8', 0, readSync(fd, rest))).toBe('battery')
    })
  })

  test('that was not passed on is refused', () => {
    const refusal = refusalOf(() => fdSource(987).read(false))
    expect(refusal.code).toBe('usage')
    expect(refusal.message).toBe('descriptor 987 is not open')
  })

  test('of a folder is refused', () => {
    const fd = openSync(folder, 'r')
    expect(refusalOf(() => fdSource(fd).read(false)).code).toBe('usage')
    closeSync(fd)
  })
})

describe('a variable', () => {
  const variableOf = (value: string) =>
    wholeSource('TATUM_KMS_PASSWORD', () => secretOf(Buffer.from(value, 'latin1')))

  test.each(['correct horse', ' a ', 'a\rb', 'a\0b\x03', 'a'.repeat(4096)])(
    'as it is: %#',
    value => {
      using password = variableOf(value).read(false)
      expect(revealedText(password)).toBe(value)
    },
  )

  test.each([
    ['nothing', '', 'holds no password'],
    ['two lines', `${secret}\n${secret}`, 'line break'],
    ['a line end', `${secret}\n`, 'line break'],
    ['half a line end of Windows', `${secret}\r`, 'line break'],
    ['4097 bytes', 'a'.repeat(4097), '4096 bytes'],
  ])('with %s is refused: the signer would read another password', (_, value, complaint) => {
    const refusal = refusalOf(() => variableOf(value).read(false))
    expect(refusal.code).toBe('usage')
    expect(refusal.message).toContain(complaint)
    expectSilence(refusal, secret)
  })
})

function writePassword(content: string | Uint8Array, mode = 0o600): void {
  rmSync(path, { force: true })
  writeFileSync(path, content, { encoding: 'latin1' })
  chmodSync(path, mode)
}

function passwordIn(path: string): string {
  using password = fileSource(path).read(false)
  return revealedText(password)
}

function complaintAbout(path: string): string {
  const refusal = refusalOf(() => fileSource(path).read(false))
  expect(refusal.code).toBe('usage')
  return refusal.message
}

function withPipe(content: string, work: (fd: number) => void): void {
  const [reader, writer] = pipe()
  writeOut(writer, Buffer.from(content, 'latin1'))
  closeSync(writer)
  work(reader)
  closeSync(reader)
}

function attempt(work: () => void): void {
  try {
    work()
  } catch {
    // Only what it leaves behind is of interest.
  }
}
