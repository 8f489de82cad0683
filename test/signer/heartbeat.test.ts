import { expect, test } from 'bun:test'
import type { Notifier } from '../../src/base/notify.ts'
import { withHeartbeat } from '../../src/signer/heartbeat.ts'
import type { Progress, Question } from '../../src/signer/messages.ts'

const progress: Progress = { type: 'progress', chains: 3, failing: 0, listed: 2, unsent: 1 }
const sign: Question = { type: 'sign', payments: [] }

function world({ watchdogMs = 1000, isHeard = true } = {}) {
  const said: string[] = []
  const time = { now: 0, isHeard }
  const notifier: Notifier = {
    ready() {
      said.push('ready')
      return time.isHeard
    },
    status: text => said.push(text),
    reloading: () => said.push('reloading'),
    stopping: () => said.push('stopping'),
    alive: () => said.push('alive'),
  }
  const { promise: hanging, resolve: goOn } = Promise.withResolvers<void>()
  const answer = withHeartbeat(
    async ({ type }) => {
      if (type === 'sign') await hanging
      return {}
    },
    { notifier, monotonic: () => time.now, watchdogMs },
  )
  return { said, time, answer, goOn }
}

const status = 'chains: 3, listed: 2, not yet sent: 1'

test('the first progress makes it ready, each keeps it alive', async () => {
  const { said, answer } = world()
  await answer({ type: 'status' })
  expect(said).toEqual([])
  await answer(progress)
  await answer(progress)
  expect(said).toEqual(['ready', status, 'alive', status, 'alive'])
})

test('polls that fail are said', async () => {
  const { said, answer } = world()
  await answer({ ...progress, failing: 2 })
  expect(said[1]).toBe(`${status}, polls that fail: 2`)
})

test('a READY that was not heard is said again', async () => {
  const { said, time, answer } = world({ isHeard: false })
  await answer(progress)
  time.isHeard = true
  await answer(progress)
  await answer(progress)
  expect(said.filter(text => text === 'ready')).toHaveLength(2)
})

test('keys that hang starve the watchdog until they do not', async () => {
  const { said, time, answer, goOn } = world()
  const signing = answer(sign)
  time.now = 1000
  await answer(progress)
  expect(said.at(-1)).toBe('alive')
  time.now = 1001
  await answer(progress)
  expect(said.at(-1)).toBe(status)
  goOn()
  await signing
  await answer(progress)
  expect(said.at(-1)).toBe('alive')
})

test('where nobody watches, nobody is told', async () => {
  const said: string[] = []
  const silent = () => said.push('')
  const notifier = { ready: () => true, status: silent, reloading: silent, stopping: silent }
  const answer = withHeartbeat(async () => ({}), {
    notifier: { ...notifier, alive: () => said.push('alive') },
    monotonic: () => 0,
    watchdogMs: null,
  })
  await answer(progress)
  expect(said).not.toContain('alive')
})
