import { describe, expect, test } from 'bun:test'
import { check } from '../../src/cli/doctor/check.ts'
import { files } from '../../src/cli/doctor/confinement.ts'
import { clock } from '../../src/cli/doctor/files.ts'
import { kernel, memoryLimit, ptraceScope, swap } from '../../src/cli/doctor/machine.ts'

test.each([
  [0, 'warning', 'no Landlock'],
  [1, 'ok', 'it does not limit ports (kernel 6.7) and signals (kernel 6.12) yet'],
  [4, 'ok', 'it does not limit signals (kernel 6.12) yet'],
  [7, 'ok', 'files, ports and signals'],
] as const)('Landlock %p is told of as it is', (version, result, about) => {
  expect(files(version)).toEqual([result, expect.stringContaining(about)])
})

test('a look that throws is a check that failed', async () => {
  const odd = await check('this', () => {
    throw new TypeError('x')
  })
  expect(odd).toEqual({ name: 'this', result: 'failed', about: 'internal fault' })
})

test.each([
  ['6.1.0-13-amd64', 'ok'],
  ['5.14', 'ok'],
  ['5.13.19', 'warning'],
  ['4.18.0-553.el8', 'warning'],
  ['', 'warning'],
])('linux %p is %s', (name, wanted) => expect(kernel(name)[0]).toBe(wanted as 'ok'))

test.each([
  ['Max locked memory         65536                65536                bytes', '64 KiB'],
  ['Max locked memory         unlimited            unlimited            bytes', 'unlimited'],
  ['Max stack size            8388608              unlimited            bytes', undefined],
  [undefined, undefined],
])('of %p the limit of locked memory is %p', (limits, wanted) => {
  expect(memoryLimit(limits)).toBe(wanted)
})

test.each([
  ['0\n', 'warning'],
  ['1\n', 'ok'],
  ['3\n', 'ok'],
  [undefined, 'warning'],
])('ptrace_scope %p is %s', (text, wanted) => expect(ptraceScope(text)[0]).toBe(wanted as 'ok'))

const heads = 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n'
test.each([
  [heads, 'ok'],
  [`${heads}/dev/dm-1 partition 999 0 -2\n`, 'warning'],
  [undefined, 'warning'],
])('swap %p is %s', (text, wanted) => expect(swap(text)[0]).toBe(wanted as 'ok'))

describe('the clock', () => {
  const newYear = Date.UTC(2026, 0, 1)
  test('before this program was made is wrong', () => {
    expect(clock(newYear - 1, undefined)).toEqual([
      'failed',
      'the clock says 2025-12-31T23:59:59.999Z, which cannot be: set it',
    ])
    expect(clock(newYear, undefined)[0]).toBe('ok')
  })
  test('before the newest password was set is wrong', () => {
    expect(clock(newYear, [newYear - 5, newYear + 1])[0]).toBe('failed')
    expect(clock(newYear, [newYear])).toEqual(['ok', '2026-01-01T00:00:00.000Z'])
  })
})
