import { describe, expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dir, '..')
const page = readFileSync(join(root, 'docs/security.md'), 'utf8')

/** Each row of the tables of claims: what cannot happen, the code, the tests. */
const claims = claimsOf(page)
/** A file of tests and, behind it, the words of one test or group in it. */
const named = [...page.matchAll(/`(test\/[^`]+)`(?: "([^"]+)")?/g)].map(([, path = '', words]) => ({
  path,
  words,
}))
const adversaries = [...page.matchAll(/^## (\d+)\. /gm)].map(([, number]) => Number(number))

test('there are twelve adversaries, each with claims', () => {
  expect(adversaries).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
  const sections = page.split(/^## /m).filter(text => /^\d/.test(text))
  expect(sections.filter(section => claimsOf(section).length === 0)).toEqual([])
})

describe.each(claims)('$claim', ({ code, tests }) => {
  test('names code that is there', () => {
    const paths = [...code.matchAll(/`([^`]+)`/g)].map(([, path = '']) => path)
    expect(paths).not.toBeEmpty()
    expect(paths.filter(path => !existsSync(join(root, placeOf(path))))).toEqual([])
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

function claimsOf(text: string) {
  const tables = text.matchAll(/^\| .+ \| code \| test \|\n\|[-|]+\n((?:\|.+\n)+)/gm)
  return [...tables].flatMap(([, rows = '']) =>
    rows
      .trimEnd()
      .split('\n')
      .map(row => {
        const [claim = '', code = '', tests = ''] = row.slice(2, -2).split(' | ')
        return { claim, code, tests }
      }),
  )
}

function placeOf(path: string): string {
  return /^(src|scripts|test)\//.test(path) ? path : join('src', path)
}

/** The texts that stand before a function: a title is one of them, also behind a table of cases. */
function titlesOf(source: string): readonly string[] {
  const title = /(['"`])((?:(?!\1).)+)\1,\s*(?:async\b|\(|\w+ =>)/g
  return [...source.matchAll(title)].map(([, , words = '']) => words)
}
