import { expect, test } from 'bun:test'
import { stepsAroundIndex, stepsOf } from '../../src/secret/derivation-path.ts'
import { refusalOf } from '../support/secret.ts'

const h = 2 ** 31

test.each([
  ['m', []],
  ['m/0', [0]],
  ["m/44'/60'/0'/0", [h + 44, h + 60, h, 0]],
  ["m/2147483647'/2147483647", [h + h - 1, h - 1]],
])('%s', (path, steps) => expect(stepsOf(path)).toEqual(steps))

test.each([
  ["m/44'/508'/0'/0'/i'", [h + 44, h + 508, h, h], []],
  ["m/44'/501'/i'/0'", [h + 44, h + 501], [h]],
  ["m/i'", [], []],
])('%s: before and behind the index', (path, before, behind) => {
  expect(stepsAroundIndex(path)).toEqual({ before, behind })
})

const malformed = [
  '',
  'n/0',
  'm/',
  'm//0',
  "m/0''",
  'm/44h',
  'm/x',
  'm/-1',
  'm/1.5',
  'm/2147483648',
  ' m/0',
  'm/0\n',
]

test.each([...malformed, "m/i'", "m/44'/i'/0'"])('%j is not taken for another path', path => {
  expect(refusalOf(() => stepsOf(path)).code).toBe('unexpected')
})

test.each([
  ...malformed,
  ...malformed.map(path => `${path}/i'`),
  'm',
  "m/44'/0'",
  'm/44/i',
  "m/i'/i'",
  "m/i'/0'/i'",
  "m/44'i'",
  "m/i'0'",
  "m/i''",
])('%j has no place for an index', path => {
  expect(refusalOf(() => stepsAroundIndex(path)).code).toBe('unexpected')
})
