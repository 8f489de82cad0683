import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CrashPlan, pointsFile } from '../support/crashing-daemon.ts'
import { makeHome, runDaemonOnce, startDaemon, until } from '../support/daemon-process.ts'
import { type FakeTatum, startFakeTatum } from '../support/fake-tatum.ts'
import { ethPayment, wallets } from '../support/payments.ts'
import { binaryUnderTest } from '../support/script.ts'
import { storeWallets } from '../support/test-vault.ts'

// `tx cancel` as two processes: cut off anywhere it leaves the payment, or the one replacement.

const template = mkdtempSync(join(tmpdir(), 'kms-cancel-kill-'))
let home: ReturnType<typeof makeHome>
let tatum: FakeTatum
let id: string

beforeAll(() => storeWallets(template, [wallets.ethMnemonic]))
afterAll(() => rmSync(template, { recursive: true }))

beforeEach(async () => {
  home = makeHome(template)
  tatum = startFakeTatum({ network: 'mainnet' })
  tatum.stopMining()
  id = tatum.queue(ethPayment(1))
})

afterEach(async () => {
  await tatum.stop()
  home[Symbol.dispose]()
})

describe.skipIf(process.platform !== 'linux')('cancelling', () => {
  test('killed before and after every write and every exchange', async () => {
    let kills = 0
    for (let dieAt = 1; ; dieAt++) {
      if (dieAt > 1) await startOver()
      expect(await daemon()).toMatchObject({ status: 0 })
      const { status, passed } = await dieAtPoint(dieAt)
      const replacements = replacementsSent()
      if (status === 'SIGKILL') kills++
      else
        expect({ status, replacements: replacements.size }).toEqual({ status: 0, replacements: 1 })
      // Nothing of the payment moves by itself, whatever was done to it.
      expect(await daemon()).toMatchObject({ status: 0 })
      expect(replacementsSent()).toEqual(replacements)

      expect({ ...(await cancel()), dieAt }).toMatchObject({ status: 0, dieAt })
      expect(replacementsSent().size).toBe(1)
      expect(tatum.state.others).toHaveLength(1)
      expect(tatum.state.reports.map(({ signatureId }) => signatureId)).toContain(id)
      tatum.mine()
      tatum.state.settled.delete(id)
      expect(await daemon()).toMatchObject({ status: 0 })
      expect(tatum.state.broadcasts.get(id)).toHaveLength(1)
      expect(tatum.state.settled.has(id)).toBe(false)
      if (status === 'SIGKILL') continue
      // Count, price, ledger, journal, replacement, report, journal.
      expect(kills).toBe(2 * 7)
      expect(passed).toBe(kills)
      return
    }
  }, 120_000)

  test('is refused at once while a daemon runs, which goes on', async () => {
    const running = startDaemon(home.folder, tatum, [approver(), '--period=0.1'])
    await until(() => tatum.state.settled.has(id), running.said)
    const started = performance.now()
    const { status, said } = await cancel()
    expect(status).toBe(11)
    expect(said).toContain('hint: another daemon signs with this vault: stop it first')
    expect(performance.now() - started).toBeLessThan(5_000)
    const next = tatum.queue(ethPayment(2))
    await until(() => tatum.state.settled.has(next), running.said)
    running.kill('SIGTERM')
    expect(await running.ended).toBe(0)
    expect(await cancel()).toMatchObject({ status: 0 })
  })
})

async function startOver(): Promise<void> {
  await tatum.stop()
  home[Symbol.dispose]()
  home = makeHome(template)
  tatum = startFakeTatum({ network: 'mainnet' })
  tatum.stopMining()
  id = tatum.queue(ethPayment(1))
}

function approver(): string {
  return `--external-url=${tatum.approverUrl}`
}

function daemon() {
  return runDaemonOnce(home.folder, tatum, [approver()])
}

async function cancel() {
  const command = [...binaryUnderTest, 'tx', 'cancel', id]
  const process = startDaemon(home.folder, tatum, [], { command })
  return { status: await process.ended, said: process.said() }
}

/** The sources, with a death in them. */
async function dieAtPoint(dieAt: number) {
  const { url: apiUrl, apiKey, approverUrl } = tatum
  const { folder } = home
  const plan: CrashPlan = { folder, apiUrl, apiKey, approverUrl, dieAt, cancel: id }
  const entry = join(import.meta.dir, '../support/crashing-daemon.ts')
  const command = [process.execPath, entry, JSON.stringify(plan)]
  const status = await startDaemon(folder, tatum, [], { command }).ended
  return { status, passed: statSync(join(folder, pointsFile)).size }
}

/** Different bytes that went out without the id of a payment. */
function replacementsSent(): ReadonlySet<unknown> {
  const bodies = tatum.state.requests
    .filter(({ route }) => route === 'broadcast')
    .map(({ body }) => body as { readonly txData: string; readonly signatureId?: string })
  return new Set(bodies.filter(body => body.signatureId === undefined).map(body => body.txData))
}
