import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { patchRuntime } from '../../scripts/patch-runtime.ts'

const names = [
  'BUN_BE_BUN',
  'BUN_OPTIONS',
  'BUN_INSPECT',
  'BUN_BYTECODE_',
  'BUN_RUNTIME_TRANSPILER_CACHE_PATH',
  'BUN_TCC_OPTIONS',
  'BUN_CONFIG_VERBOSE_FETCH',
  'BUN_ENABLE_CRASH_REPORTING',
  'BUN_CRASH_REPORT_URL',
]

describe('a runtime', () => {
  test('loses the first letter of each name, every time it stands there, and nothing else', () => {
    const text = `${names.join('\0')}\0BUN_INSPECT_PRELOAD\0the rest`
    const { bytes, replaced } = patchRuntime(Buffer.from(text))
    expect(Buffer.from(bytes).toString('latin1')).toBe(text.replaceAll('BUN_', '\0UN_'))
    expect(replaced).toMatchObject({ BUN_INSPECT: 2, BUN_OPTIONS: 1 })
  })

  test('keeps its own JavaScript', () => {
    const text = `${names.join('\0')}\0process.env.BUN_INSPECT_NOTIFY`
    expect(Buffer.from(patchRuntime(Buffer.from(text)).bytes).toString()).toEndWith(
      '\0process.env.BUN_INSPECT_NOTIFY',
    )
  })

  test.each(names)('without %s is refused: another version may read it in another way', name => {
    const rest = names.filter(other => other !== name).join('\0')
    expect(() => patchRuntime(Buffer.from(rest))).toThrow(name)
  })

  test('of the Bun that builds here has them all', () => {
    expect(Object.keys(patchRuntime(readFileSync(process.execPath)).replaced)).toEqual(names)
  })
})
