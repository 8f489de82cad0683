import { describe, expect, test } from 'bun:test'
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { realDisk } from '../../src/base/disk.ts'
import { parseEnvFile, readEnvFile } from '../../src/cli/env-file.ts'
import { refusalOf } from '../support/secret.ts'

describe('a line of an env file', () => {
  test.each([
    ['A=b', 'b'],
    ['  A = b  ', 'b'],
    ['export A=b', 'b'],
    ['A=', ''],
    ['A=b c', 'b c'],
    ['A=b # said', 'b'],
    ['A=b#c', 'b#c'],
    ["A='b # c'", 'b # c'],
    ["A='$B' # said", '$B'],
    ['A="b\\n\\"\\$c\\\\"', 'b\n"$c\\'],
    ['A=$B', '$B'],
    ['A=x=y', 'x=y'],
  ])('%j', (line, value) => expect(parseEnvFile(line).get('A')).toBe(value))

  test.each(['A', '=b', '1A=b', 'A-B=c', `A="b`, `A='b`, `A="b" c`, '\0'])('%j is none', line => {
    const refusal = refusalOf(() => parseEnvFile(`# a comment\n\n${line}`))
    expect(refusal.code).toBe('usage')
    expect(refusal.message).toBe('line 3 of the env file is not NAME=value')
  })
})

test('of two lines with one name the last counts, and names of Object are names', () => {
  const read = parseEnvFile('A=1\r\n__proto__=x\r\nA=2\r\n')
  expect([...read]).toEqual([
    ['A', '2'],
    ['__proto__', 'x'],
  ])
})

describe('an env file', () => {
  const inFolder = (work: (path: string) => void): void => {
    const folder = mkdtempSync(join(tmpdir(), 'kms-env-'))
    try {
      work(join(folder, '.env'))
    } finally {
      rmSync(folder, { recursive: true })
    }
  }

  test('that is not there has nothing to say', () => {
    inFolder(path => expect(readEnvFile(realDisk, path)).toBeUndefined())
  })

  test('may be read by others, but not written', () => {
    inFolder(path => {
      writeFileSync(path, 'A=b\n')
      chmodSync(path, 0o644)
      expect(readEnvFile(realDisk, path)?.get('A')).toBe('b')
      for (const mode of [0o620, 0o602, 0o666]) {
        chmodSync(path, mode)
        const refusal = refusalOf(() => readEnvFile(realDisk, path))
        expect(refusal.code).toBe('unsafe-permissions')
      }
    })
  })

  test('is no link, no folder and of a sensible size', () => {
    inFolder(path => {
      symlinkSync('/dev/null', path)
      expect(() => readEnvFile(realDisk, path)).toThrow()
      rmSync(path)
      writeFileSync(path, 'A='.padEnd(70_000, 'b'), { mode: 0o600 })
      expect(refusalOf(() => readEnvFile(realDisk, path)).message).toContain('larger than')
    })
    expect(refusalOf(() => readEnvFile(realDisk, tmpdir())).code).toBe('unsafe-permissions')
  })
})
