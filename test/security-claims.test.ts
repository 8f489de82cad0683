import { describe, expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dir, '..')
const page = readFileSync(join(root, 'docs/security.md'), 'utf8')

/** Each row of the tables of claims: what cannot happen, the code, the tests. */
const claims = [
  ...page.matchAll(/^\| ((?!it |they |root |---).+) \| (`.+`) \| (`test\/.+) \|$/gm),
].map(([, claim = '', code = '', tests = '']) => ({ claim, code, tests }))
/** A file of tests and, behind it, the words of one test or group in it. */
const named = [...page.matchAll(/`(test\/[^`]+)`(?: "([^"]+)")?/g)].map(([, path = '', words]) => ({
  path,
  words,
}))
const adversaries = [...page.matchAll(/^## (\d+)\. /gm)].map(([, number]) => Number(number))

test('there are twelve adversaries, each with claims', () => {
  expect(adversaries).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
  for (const section of page.split(/^## /m).filter(text => /^\d/.test(text))) {
    expect(claims.filter(({ claim }) => section.includes(`| ${claim} |`))).not.toBeEmpty()
  }
})

describe.each(claims)('$claim', ({ code, tests }) => {
  test('names code that is there', () => {
    const paths = [...code.matchAll(/`([^`]+)`/g)].map(([, path = '']) => path)
    const missing = paths.filter(path => !existsSync(join(root, placeOf(path))))
    expect(missing).toEqual([])
  })

  test('names a test', () => expect(tests).toMatch(/^`test\/.+\.(test\.ts|txt)`/))
})

test.each(named)('$path is there, with $words', ({ path, words }) => {
  const files = [...new Bun.Glob(path).scanSync(root)]
  expect(files).not.toBeEmpty()
  if (words === undefined) return
  const titles = files.flatMap(file => titlesOf(readFileSync(join(root, file), 'utf8')))
  expect(titles).toContain(words)
})

function placeOf(path: string): string {
  return /^(src|scripts|test)\//.test(path) ? path : join('src', path)
}

/** The texts that stand before a function: a title is one of them, also behind a table of cases. */
function titlesOf(source: string): readonly string[] {
  const title = /(['"`])((?:(?!\1).)+)\1,\s*(?:async\b|\(|\w+ =>)/g
  return [...source.matchAll(title)].map(([, , words = '']) => words)
}
