import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { Json } from '../../src/base/json.ts'
import { createLog, type LogFields, type LogLevel } from '../../src/base/log.ts'

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)

function lines(
  report: (log: ReturnType<typeof createLog>) => void,
  { json = false, level = 'debug' }: { json?: boolean; level?: LogLevel } = {},
): readonly string[] {
  const written: string[] = []
  const now = () => new Date('2026-01-01T00:00:00.789Z')
  report(createLog({ write: line => written.push(line), now, json, level }))
  return written
}

function info(fields: LogFields, json = false): string {
  return lines(log => log.info('payment sent', fields), { json }).join('\n')
}

describe('text', () => {
  test('a line is time, level, event and fields', () => {
    expect(info({ id: '5e6645', chain: 'ETH', tries: 2, ok: true, note: null })).toBe(
      '2026-01-01T00:00:00Z info payment sent id=5e6645 chain=ETH tries=2 ok=true note=null',
    )
  })

  test('an undefined field is left out', () => {
    expect(info({ id: undefined })).toBe('2026-01-01T00:00:00Z info payment sent')
  })

  test.each([
    [
      'a line break',
      'x\n2026-01-01T00:00:00Z info forged',
      String.raw`"x\n2026-01-01T00:00:00Z info forged"`,
    ],
    ['a terminal command', '\u001b[2Jx', String.raw`"\u001b[2Jx"`],
    ['a C1 control', '\u009b2J', String.raw`"\u009b2J"`],
    ['DEL', 'a\u007f', String.raw`"a\u007f"`],
    ['a line separator', 'a\u2028b', String.raw`"a\u2028b"`],
    ['a direction override', 'a\u202eb', String.raw`"a\u202eb"`],
    ['an invisible tag beyond the BMP', 'a\u{e0041}', String.raw`"a\udb40\udc41"`],
    ['a lone surrogate', 'a\ud800', String.raw`"a\ud800"`],
    ['something that looks like a field', 'a chain=BTC', '"a chain=BTC"'],
    ['a quote', 'a"b', String.raw`"a\"b"`],
    ['nothing', '', '""'],
  ])('%s is quoted', (_, value, printed) => {
    expect(info({ id: value })).toBe(`2026-01-01T00:00:00Z info payment sent id=${printed}`)
  })

  test('an event and a field name cannot break the line either', () => {
    const [line] = lines(log => log.error('a\nb', { 'c\nd': 1 }))
    expect(line).toBe(String.raw`2026-01-01T00:00:00Z error a\nb "c\nd"=1`)
  })
})

describe('JSON', () => {
  test('a line is one object that starts with time, level and event', () => {
    expect(info({ id: '5e6645', nested: { a: [1] } }, true)).toBe(
      '{"time":"2026-01-01T00:00:00Z","level":"info","event":"payment sent","id":"5e6645","nested":{"a":[1]}}',
    )
  })

  test('what is escaped reads back as it was', () => {
    const id = 'a\n\u202e\u{e0041}\u007f"'
    expect(JSON.parse(info({ id }, true)).id).toBe(id)
  })
})

describe('size', () => {
  test('500 characters stay, the rest is cut', () => {
    expect(info({ id: 'x'.repeat(500) })).toEndWith(`=${'x'.repeat(500)}`)
    expect(info({ id: 'x'.repeat(501) })).toEndWith(`=${'x'.repeat(500)}…`)
  })

  test('a large structure is cut as its own text and the line stays JSON', () => {
    const cut = JSON.parse(info({ list: Array.from({ length: 1000 }, () => 1) }, true)).list
    expect(cut).toBe(`[${'1,'.repeat(249)}1…`)
  })

  test.each([false, true])('a structure too deep to encode does not throw (json: %p)', json => {
    let deep: Json = []
    for (let i = 0; i < 50_000; i++) deep = [deep]
    expect(info({ deep }, json)).toContain('(nested too deep)')
  })
})

test('events below the level are not written', () => {
  const report = (log: ReturnType<typeof createLog>): void => {
    log.debug('a')
    log.info('b')
    log.warning('c')
    log.error('d')
  }
  expect(lines(report, { level: 'warning' }).map(line => line.split(' ')[1])).toEqual([
    'warning',
    'error',
  ])
})

test('no value makes more than one line or reaches the terminal raw', () => {
  const text = fc.string({ unit: 'binary', maxLength: 600 })
  fc.assert(
    fc.property(text, fc.jsonValue(), fc.boolean(), (name, value, json) => {
      const fields = { [`f${name}`]: value as Json, text: name }
      expect(info(fields, json)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
    }),
    { numRuns },
  )
})

test('the fields cannot replace time, level or event', () => {
  // @ts-expect-error: the three names are the line's own
  const fields: LogFields = { level: 'debug' }
  expect(fields).toBeDefined()
})

test('each line starts with its priority for journald, and only there can it stand', () => {
  for (const json of [true, false]) {
    const written: string[] = []
    const now = () => new Date(0)
    const write = (line: string) => written.push(line)
    const log = createLog({ write, now, json, level: 'debug', priorities: true })
    for (const level of ['debug', 'info', 'warning', 'error'] as const) log[level]('a\n<0>b')
    expect(written.map(line => line.slice(0, 3))).toEqual(['<7>', '<6>', '<4>', '<3>'])
    expect(written.join('')).not.toContain('\n')
  }
})
