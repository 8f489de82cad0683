import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { parseToml } from '../../src/base/toml.ts'

test('TOML is read', () => {
  const text = 'a = "x" # why\n[[list]]\nn = 1_000\n[list.inner]\nt = [true,\n  false]\n'
  expect(parseToml(text)).toEqual({
    value: { a: 'x', list: [{ n: 1000, inner: { t: [true, false] } }] },
  })
})

test.each<readonly [string, number]>([
  ['a = ', 0],
  ['a = 1\na = 2', 1],
  ['a = 1\n\nb = [1,\n 2,\n 3\nc = 4\n', 2],
  ['[a]\nb = 1\nc = deny\nd = 2\n', 2],
  ['a = 1 b', 0],
  ['a = 99999999999999999999', 0],
])('%j is none, and how far it was good is told', (text, goodLines) => {
  expect(parseToml(text)).toEqual({ goodLines })
})

test('of thousands of lines it is not told', () => {
  expect(parseToml('a = 1\n'.repeat(3_000))).toEqual({ goodLines: undefined })
})

test('a name such as __proto__ is a name', () => {
  const parsed = parseToml('[__proto__]\nx = 1\n')
  expect('value' in parsed && Object.keys(parsed.value ?? {})).toEqual(['__proto__'])
  expect({}).not.toHaveProperty('x')
})

test.each(['[', '{a=', '[[', '"', 'a.', '\u0000'])(
  'half a megabyte of %j ends no process',
  part => {
    const text = `a = ${part.repeat(500_000 / part.length)}`
    expect(parseToml(text)).toEqual({ goodLines: 0 })
  },
)

test('whatever the text is, it is read or not', () => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom('[a]', '[[a]]', 'a = 1', 'b = "', 'c = [', ']', 'd = {x = 1}', '"" = 2'),
  )
  fc.assert(
    fc.property(fc.array(line), lines => {
      const parsed = parseToml(lines.join('\n'))
      if ('value' in parsed) return
      expect(parsed.goodLines).toBeLessThan(lines.join('\n').split('\n').length)
    }),
  )
})
