import { describe, expect, test } from 'bun:test'
import type { EventLog } from '../../src/daemon/events.ts'
import { createMetrics } from '../../src/daemon/metrics.ts'
import { isAlive, whatIsMissing } from '../../src/daemon/metrics-server.ts'
import { createObserver } from '../../src/daemon/observer.ts'
import { createPulse } from '../../src/daemon/pulse.ts'
import { createVersionNotice } from '../../src/daemon/version-notice.ts'
import type { Question } from '../../src/signer/messages.ts'

function world() {
  const time = { now: 1_700_000_000_000, monotonic: 50_000 }
  const told: unknown[] = []
  const asked: Question[] = []
  const log = Object.fromEntries(
    ['debug', 'info', 'warning', 'error'].map(level => [
      level,
      (event: string, fields?: unknown) => told.push([level, event, fields]),
    ]),
  ) as unknown as EventLog
  const clocks = { now: () => time.now, monotonic: () => time.monotonic }
  const metrics = createMetrics()
  const observer = createObserver(metrics, clocks)
  let published = 0
  const pulse = createPulse({
    ...{ metrics, observer, log, ...clocks, everyMs: 5_000 },
    signer: {
      async ask(question) {
        asked.push(question)
        return {} as never
      },
    },
    async publish() {
      published++
    },
  })
  const pass = (ms: number): void => {
    time.now += ms
    time.monotonic += ms
  }
  return { time, told, asked, log, clocks, observer, pulse, pass, published: () => published }
}

const bothChains = new Map([
  ['BTC', ['a']],
  ['ETH', ['b']],
])

describe('a pulse', () => {
  test('tells the signer what is seen of the chains, no more often than it is to', async () => {
    const { asked, observer, pulse, pass, published } = world()
    observer.follow(bothChains)
    observer.polled('BTC', 'ok', 4)
    observer.polled('ETH', 'failed', 0)
    observer.unsent('ETH', ['a', 'b'])
    await pulse.beat()
    pass(4_999)
    await pulse.beat()
    expect(asked).toEqual([{ type: 'progress', chains: 2, failing: 1, listed: 4, unsent: 2 }])
    pass(1)
    await pulse.beat()
    expect({ asked: asked.length, published: published() }).toEqual({ asked: 2, published: 2 })
  })

  test('goes on whatever the clock is set to, and says when it jumped', async () => {
    const { time, told, asked, pulse, pass } = world()
    await pulse.beat()
    for (const jump of [-7_200_000, 3_600_000, 500]) {
      time.now += jump
      pass(5_000)
      await pulse.beat()
      pass(5_000)
      await pulse.beat()
    }
    expect(asked).toHaveLength(7)
    expect(told).toEqual([
      ['warning', 'clock jumped', { seconds: -7_200 }],
      ['warning', 'clock jumped', { seconds: 3_600 }],
    ])
  })

  test('that stops is no life any more', async () => {
    const { pulse, pass } = world()
    expect(isAlive({ pulse })).toBe(false)
    await pulse.beat()
    expect(isAlive({ pulse })).toBe(true)
    pass(36_000)
    expect(isAlive({ pulse })).toBe(false)
  })
})

test('ready is who has polled every chain lately', async () => {
  const { observer, pulse, pass } = world()
  const health = { observer, pulse, longestPeriodMs: 60_000 }
  observer.follow(bothChains)
  await pulse.beat()
  observer.polled('BTC', 'ok', 0)
  observer.polled('ETH', 'failed', 0)
  expect(whatIsMissing(health)).toEqual(['the last poll of ETH that worked is too long ago'])
  observer.polled('ETH', 'ok', 0)
  expect(whatIsMissing(health)).toEqual([])
  pass(195_001)
  expect(whatIsMissing(health)).toHaveLength(3)
  await pulse.beat()
  observer.polled('BTC', 'ok', 0)
  expect(whatIsMissing(health)).toEqual(['the last poll of ETH that worked is too long ago'])
  observer.follow(new Map([['BTC', ['a']]]))
  expect(whatIsMissing(health)).toEqual([])
})

test('a newer version is told of once a day, however often it is heard of', () => {
  const { log, told, clocks, pass } = world()
  const notice = createVersionNotice(log, clocks.monotonic)
  for (const n of [1, 2, 3]) notice({ version: `9.0.${n}`, grade: 'INFO', message: '' })
  pass(86_400_000)
  notice({ version: '9.1.0', grade: 'ERROR', message: 'now' })
  expect(told).toEqual([
    ['info', 'newer version of the protocol', { version: '9.0.1', grade: 'INFO', message: '' }],
    ['info', 'newer version of the protocol', { version: '9.1.0', grade: 'ERROR', message: 'now' }],
  ])
})
