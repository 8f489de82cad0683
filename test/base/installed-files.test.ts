import { afterEach, beforeEach, expect, test } from 'bun:test'
import {
  existsSync,
  mkdirSync,
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
import {
  install,
  installFolder,
  readInstalled,
  uninstall,
  uninstallEmpty,
} from '../../src/base/installed-files.ts'
import { refusalOf } from '../support/secret.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kms-installed-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test.skipIf(process.platform === 'win32').each([0o644, 0o600])(
  'a file has the mode %o whatever the umask is, and leaves nothing beside it',
  mode => {
    const before = process.umask(0o077)
    try {
      const path = join(folder, 'unit')
      install(path, 'first', mode)
      install(path, 'second', mode)
      expect(readFileSync(path, 'utf8')).toBe('second')
      expect(statSync(path).mode & 0o777).toBe(mode)
      expect(readdirSync(folder)).toEqual(['unit'])
    } finally {
      process.umask(before)
    }
  },
)

test('a file takes the place of a link, not of what the link leads to', () => {
  const [path, target] = [join(folder, 'unit'), join(folder, 'target')]
  writeFileSync(target, 'somebody else’s')
  symlinkSync(target, path)
  install(path, 'ours', 0o644)
  expect(readFileSync(target, 'utf8')).toBe('somebody else’s')
  expect(readInstalled(path)).toBe('ours')
})

test('what cannot be written is a fault that names it', () => {
  const path = join(folder, 'missing/unit')
  const { code, message } = refusalOf(() => install(path, '', 0o644))
  expect([code, message]).toEqual(['disk', `cannot write ${path}: there is no such file or folder`])
  expect(readInstalled(path)).toBeUndefined()
})

test('folders are made once, with those above them', () => {
  const path = join(folder, 'a/b/c')
  expect([installFolder(path, 0o700), installFolder(path, 0o755)]).toEqual([true, false])
  if (process.platform !== 'win32') expect(statSync(path).mode & 0o777).toBe(0o700)
})

test('a file is removed once', () => {
  const path = join(folder, 'unit')
  install(path, '', 0o644)
  expect([uninstall(path), uninstall(path)]).toEqual([true, false])
})

test('only what is empty is removed with its folders', () => {
  const root = join(folder, 'root')
  mkdirSync(join(root, 'usr/lib'), { recursive: true })
  mkdirSync(join(root, 'etc'))
  writeFileSync(join(root, 'etc/hosts'), '')
  symlinkSync('usr/lib', join(root, 'lib'))
  writeFileSync(join(root, 'usr/lib/kept'), 'contents')
  expect(uninstallEmpty(root)).toBe(false)
  expect(readdirSync(root, { recursive: true }).map(String).toSorted()).toEqual([
    'usr',
    'usr/lib',
    'usr/lib/kept',
  ])
  rmSync(join(root, 'usr/lib/kept'))
  expect(uninstallEmpty(root)).toBe(true)
  expect(existsSync(root)).toBe(false)
  expect(uninstallEmpty(root)).toBe(true)
})
