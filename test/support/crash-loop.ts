import { expect } from 'bun:test'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type DaemonProcess, runDaemonOnce, startDaemon, until } from './daemon-process.ts'
import type { Fault } from './fake-faults.ts'
import type { FakeTatum } from './fake-tatum.ts'
import { mixedChains, mixedPayment } from './mixed-payments.ts'
import type { Random } from './seeded-random.ts'

/** A daemon that never lives long, at a server that is never well, and what was asked of both. */
export type CrashLoop = {
  readonly folder: string
  /** Where its journal is. */
  readonly journalFolder: string
  readonly tatum: FakeTatum
  readonly random: Random
  readonly ids: string[]
  /** How long it lives at most: a little more than it takes to start and pay one of each chain, here and now. */
  readonly longestLifeMs: number
  readonly counts: {
    lives: number
    kills: number
    losses: number
    restarts: number
    faults: number
  }
}

export async function createCrashLoop(
  folder: string,
  tatum: FakeTatum,
  random: Random,
  journalFolder = join(folder, 'journal'),
): Promise<CrashLoop> {
  const ids = mixedChains.map((_, n) => tatum.queue(mixedPayment(n)))
  const started = performance.now()
  const { status, said } = await runDaemonOnce(folder, tatum, argsFor({ tatum, journalFolder }))
  expect({ status, said }).toMatchObject({ status: 0 })
  const longestLifeMs = 1.2 * (performance.now() - started)
  const counts = { lives: 0, kills: 0, losses: 0, restarts: 0, faults: 0 }
  tatum.onPoll(() => random.isOneIn(3))
  tatum.disturb(() => {
    if (!random.isOneIn(5)) return undefined
    counts.faults++
    return random.oneOf(faults)
  })
  return { folder, journalFolder, tatum, random, ids, longestLifeMs, counts }
}

const retryAfter = { 'retry-after': '0' }
const faults: readonly Fault[] = [
  { kind: 'close-after-acting' },
  { kind: 'close-after-acting' },
  { kind: 'close-before-acting' },
  { kind: 'answer', status: 500 },
  { kind: 'answer', status: 503, body: '{"message":"busy"}' },
  { kind: 'answer', status: 429, headers: retryAfter },
  { kind: 'answer', status: 200, body: '[{"id":"0000' },
  { kind: 'delay', ms: 50 },
]

/**
 * From its start to its death at a random instant, with one payment more than before, and at times
 * without a journal.
 *
 * @param die ends it, sooner or later
 */
export async function liveAndDie(
  loop: CrashLoop,
  die: (daemon: DaemonProcess) => Promise<void> | void = killGroup,
): Promise<void> {
  const { tatum, random, ids, longestLifeMs, counts } = loop
  ids.push(tatum.queue(mixedPayment(ids.length)))
  // The ledger alone keeps a payment from being signed twice.
  if (random.isOneIn(10)) {
    rmSync(loop.journalFolder, { recursive: true, force: true })
    counts.losses++
  }
  const daemon = startAgain(loop)
  counts.lives++
  if (random.isOneIn(8)) {
    await Bun.sleep(random.below(longestLifeMs / 2))
    await tatum.restart(random.below(150))
    counts.restarts++
  }
  await Bun.sleep(random.below(longestLifeMs))
  await die(daemon)
  if ((await daemon.ended) === 'SIGKILL') counts.kills++
}

/** With a server that is well again, everything arrives; then nothing was paid twice. */
export async function expectAllPaidOnce(loop: CrashLoop): Promise<void> {
  const { tatum, ids } = loop
  tatum.disturb(() => undefined)
  tatum.onPoll(() => false)
  tatum.heal()
  const daemon = startAgain(loop)
  const { state } = tatum
  const asked = state.requests.length
  const unpaid = (): readonly string[] => ids.filter(id => !state.settled.has(id))
  const explain = (): string => `${unpaid()} of ${ids.length}\n${daemon.said()}`
  try {
    await until(() => unpaid().length === 0 && state.requests.length > asked, explain, 90_000)
    daemon.kill('SIGTERM')
  } catch (fault) {
    killGroup(daemon)
    throw fault
  }
  expect({ status: await daemon.ended, said: daemon.said() }).toMatchObject({ status: 0 })
  expectEachPaidOnce(tatum, ids)
  expectEachSubmittedOnce(tatum, ids)
}

/** One set of bytes for each, and nothing else. */
export function expectEachPaidOnce({ state }: FakeTatum, ids: readonly string[]): void {
  for (const id of ids) {
    expect({ id, bytes: state.broadcasts.get(id)?.length }).toEqual({ id, bytes: 1 })
    expect({ id, settled: state.settled.get(id)?.length }).toEqual({ id, settled: 1 })
  }
  expect(state.broadcasts.size).toBe(ids.length)
}

/** What goes to a network itself is counted by the bytes that left, whatever Tatum was told. */
function expectEachSubmittedOnce({ state }: FakeTatum, ids: readonly string[]): void {
  const countOf = (chain: string): number =>
    ids.filter(id => state.pending.get(id)?.chain === chain).length
  const bodies = state.requests.map(({ route, path, body }) => ({ route, path, body }))
  const ofSol = bodies.filter(({ body }) => isCall(body, 'sendTransaction'))
  const ofFlow = bodies.filter(({ route, path }) => route === 'node' && path === '/v1/transactions')
  const submitted = [ofSol, ofFlow].map(sent => new Set(sent.map(one => JSON.stringify(one))).size)
  expect(submitted).toEqual([countOf('SOL'), countOf('FLOW')])
}

function isCall(body: unknown, method: string): boolean {
  return typeof body === 'object' && body !== null && 'method' in body && body.method === method
}

export function killGroup({ pid }: DaemonProcess): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It was faster.
  }
}

function argsFor({
  tatum,
  journalFolder,
}: Pick<CrashLoop, 'tatum' | 'journalFolder'>): readonly string[] {
  const approver = `--external-url=${tatum.approverUrl}`
  return [approver, `--chain=${mixedChains}`, `--journal=${journalFolder}`]
}

function startAgain(loop: CrashLoop): DaemonProcess {
  return startDaemon(loop.folder, loop.tatum, ['--period=0.05', ...argsFor(loop)])
}
