import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { closingWallets, solPayment } from '../support/closing-payments.ts'
import type { CrashPlan } from '../support/crashing-daemon.ts'
import { makeHome, runDaemonOnce, startDaemon, until } from '../support/daemon-process.ts'
import { type FakeTatum, startFakeTatum } from '../support/fake-tatum.ts'
import { binaryUnderTest } from '../support/script.ts'
import { storeWallets } from '../support/test-vault.ts'

// `tx resign` as two processes. resign.test.ts dies between any two steps of it, in one process.

const template = mkdtempSync(join(tmpdir(), 'kms-resign-kill-'))
let home: ReturnType<typeof makeHome>
let tatum: FakeTatum
let id: string

beforeAll(() => storeWallets(template, [closingWallets.sol]))
afterAll(() => rmSync(template, { recursive: true }))

beforeEach(async () => {
  home = makeHome(template)
  tatum = startFakeTatum({ network: 'mainnet' })
  id = tatum.queue(solPayment(1))
  tatum.stopMining()
  expect(await daemon()).toMatchObject({ status: 40 })
  tatum.mine()
})

afterEach(async () => {
  await tatum.stop()
  home[Symbol.dispose]()
})

describe.skipIf(process.platform !== 'linux')('signing anew', () => {
  test.each([
    ['before the new bytes are in the ledger', 7, 1],
    ['after that', 8, 2],
    ['when the journal has them, too', 10, 2],
    ['when the network has them', 12, 2],
  ])(
    'killed %s it is done by the next order, once',
    async (_, dieAt, signed) => {
      expect(await dieAtPoint(dieAt)).toBe('SIGKILL')
      const [before, ...sent] = transactionsSent()
      expect(sent.length).toBeLessThan(signed)
      expect(await resign()).toMatchObject({ status: 0 })
      expect(tatum.state.settled.get(id)).toHaveLength(1)
      expect(transactionsSent()).toHaveLength(2)
      expect(transactionsSent()[0]).toBe(before)
      expect(await daemon()).toMatchObject({ status: 0 })
      expect(transactionsSent()).toHaveLength(2)
    },
    30_000,
  )

  test('is refused at once while a daemon runs', async () => {
    const running = startDaemon(home.folder, tatum, [approver(), '--period=0.1'])
    const polls = () => tatum.state.requests.filter(({ route }) => route === 'pending').length
    await until(() => polls() > 1, running.said)
    const { status, said } = await resign()
    expect(status).toBe(11)
    expect(said).toContain('hint: another daemon signs with this vault: stop it first')
    running.kill('SIGTERM')
    expect(await running.ended).toBe(0)
    expect(await resign()).toMatchObject({ status: 0 })
  }, 30_000)
})

function approver(): string {
  return `--external-url=${tatum.approverUrl}`
}

function daemon() {
  return runDaemonOnce(home.folder, tatum, [approver()])
}

async function resign() {
  const command = [...binaryUnderTest, 'tx', 'resign', id, approver()]
  const process = startDaemon(home.folder, tatum, [], { command })
  return { status: await process.ended, said: process.said() }
}

/** The sources, with a death in them. */
async function dieAtPoint(dieAt: number) {
  const { url: apiUrl, apiKey, approverUrl } = tatum
  const { folder } = home
  const plan: CrashPlan = { folder, apiUrl, apiKey, approverUrl, dieAt, resign: id }
  const entry = join(import.meta.dir, '../support/crashing-daemon.ts')
  const command = [process.execPath, entry, JSON.stringify(plan)]
  return await startDaemon(folder, tatum, [], { command }).ended
}

/** Different transactions that the node of Solana was given, the oldest first. */
function transactionsSent(): readonly unknown[] {
  const sent = tatum.state.requests
    .map(({ body }) => body as { readonly method?: string; readonly params?: readonly unknown[] })
    .filter(body => body?.method === 'sendTransaction')
    .map(({ params }) => params?.[0])
  return [...new Set(sent)]
}
