import { afterAll, afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { request } from '../../src/base/http.ts'
import { approveBySignature } from '../../src/daemon/approve.ts'
import { reviewInBatches } from '../../src/daemon/ask-to-sign.ts'
import { type DaemonDeps, runOnce } from '../../src/daemon/daemon.ts'
import { createSigningApprover } from '../../src/guard/approval.ts'
import type { Policy } from '../../src/guard/policy.ts'
import { approverKey, startApprover, type TestApprover } from '../support/approver.ts'
import { type FakeTatum, startFakeTatum } from '../support/fake-tatum.ts'
import { type InProcessFront, startFront } from '../support/in-process-front.ts'
import { type InProcessSigner, startSigner } from '../support/in-process-signer.ts'
import { btcPayment, ethAddress, ethPayment, wallets } from '../support/payments.ts'
import { storeWallets } from '../support/test-vault.ts'

const template = mkdtempSync(join(tmpdir(), 'kms-approve-'))
await storeWallets(template, Object.values(wallets))
afterAll(() => rmSync(template, { recursive: true }))

const never = new AbortController().signal
const endings = { stop: never, abort: never }

let folder: string
let tatum: FakeTatum
let approver: TestApprover
let signer: InProcessSigner
let front: InProcessFront
let deps: DaemonDeps

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kms-approve-'))
  cpSync(template, folder, { recursive: true })
  tatum = startFakeTatum({ network: 'mainnet', nonces: { [ethAddress]: 5 } })
  approver = startApprover([1, 2])
  await begin()
})

afterEach(async () => {
  await end()
  await approver[Symbol.asyncDispose]()
  await tatum.stop()
  rmSync(folder, { recursive: true })
})

describe('a payment that its approvers have signed', () => {
  test('is paid, and both say so', async () => {
    const id = tatum.queue(ethPayment(1))
    expect(await runOnce(deps, endings)).toMatchObject({ sent: 1, failures: [] })
    expect(tatum.state.settled.get(id)).toHaveLength(1)
    expect(events()).toEqual(['payment approved', 'payment sent'])
    expect(signer.ledger.facts(id)).toMatchObject({ approvedBy: approver.keys.toSorted() })
  })

  test('was shown to them as Tatum sent it, with one member more, whatever Tatum says in it', async () => {
    const entry = { ...btcPayment(1), approval: { digest: 'of Tatum' }, unknown: [1, null] }
    tatum.queue(entry)
    await runOnce(deps, endings)
    const [{ approval, ...rest } = {}] = approver.asked as unknown as Record<string, unknown>[]
    const { approval: _, ...sent } = entry
    expect(rest).toEqual(sent)
    expect(approval).toMatchObject({ version: 1, network: 'mainnet', signedBefore: 0 })
  })

  test('is one of many, asked about side by side, over connections that stay', async () => {
    const count = 300
    for (let n = 1; n <= count; n++) tatum.queue(btcPayment(n))
    let atOnce = 0
    let most = 0
    approver.onAsked(async body => {
      most = Math.max(most, ++atOnce)
      await Bun.sleep(20)
      atOnce--
      return approver.verdicts(body)
    })
    expect(await runOnce(deps, endings)).toMatchObject({ sent: count, failures: [] })
    expect(most).toBeGreaterThan(32)
    expect(approver.connections()).toBeLessThanOrEqual(80)
  }, 20_000)
})

describe('no clear yes', () => {
  const answers: readonly (readonly [string, () => void, string])[] = [
    [
      'one of two',
      () => approver.onAsked(body => approver.verdicts(body, 'approved', [0])),
      '1 of 2 signed approvals',
    ],
    [
      'nobody yet',
      () => approver.onAsked(() => Response.json({ verdicts: [] })),
      '0 of 2 signed approvals',
    ],
    [
      'an unsigned yes',
      () => approver.onAsked(() => new Response()),
      'the approval server answered without signed verdicts',
    ],
    [
      'nobody there',
      () => approver.onAsked(() => new Response(null, { status: 503 })),
      'the approval server answered 503',
    ],
  ]
  test.each(answers)(
    'leaves the payment as it is, with nothing completed: %s',
    async (_, hear, reason) => {
      const id = tatum.queue(ethPayment(1))
      hear()
      expect(await runOnce(deps, endings)).toMatchObject({ failures: ['approver-unreachable'] })
      expect(await deps.journal.find(id)).toMatchObject({ state: 'seen', reason })
      expect(front.log).toMatchObject([{ event: 'payment not sent', code: 'approver-unreachable' }])
      const routes = new Set(tatum.state.requests.map(({ route }) => route))
      expect(routes).toEqual(new Set(['pending']))
      // The nonce is still good: people who took their time need not start anew.
      approver.onAsked(body => approver.verdicts(body))
      expect(await runOnce(deps, endings)).toMatchObject({ sent: 1, failures: [] })
      const nonces = approver.asked.map(({ approval }) => approval.nonce)
      expect(new Set(nonces).size).toBe(1)
    },
  )

  test('by status is a no that may become a yes', async () => {
    const id = tatum.queue(btcPayment(1))
    approver.onAsked(() => new Response(null, { status: 403 }))
    expect(await runOnce(deps, endings)).toMatchObject({ failures: ['approver-denied'] })
    expect(await deps.journal.find(id)).toMatchObject({ state: 'denied' })
    approver.onAsked(body => approver.verdicts(body))
    expect(await runOnce(deps, endings)).toMatchObject({ sent: 1 })
  })

  test('is what a yes for another payment comes to', async () => {
    tatum.queue(btcPayment(1))
    tatum.queue(btcPayment(2))
    approver.onAsked(async body => {
      const other = approver.asked.find(({ id }) => id !== body.id)
      if (other === undefined) return new Response(null, { status: 503 })
      return approver.verdicts(other)
    })
    for (let cycle = 0; cycle < 2; cycle++) await runOnce(deps, endings)
    expect(signer.ledger.count()).toBe(0)
    expect(tatum.state.broadcasts.size).toBe(0)
  })
})

describe('a signed no', () => {
  test('closes the payment: nobody is asked again, and Tatum is not told', async () => {
    const id = tatum.queue(btcPayment(1))
    approver.onAsked(body => approver.verdicts(body, 'denied', [1]))
    expect(await runOnce(deps, endings)).toMatchObject({ failures: ['approver-denied'] })
    const reason = `denied by key ${approverKey(2).publicKey.slice(0, 8)}…`
    expect(await deps.journal.find(id)).toMatchObject({ state: 'refused', reason })
    approver.onAsked(body => approver.verdicts(body))
    for (let cycle = 0; cycle < 3; cycle++) {
      expect(await runOnce(deps, endings)).toMatchObject({ failures: ['approver-denied'] })
    }
    expect(approver.asked).toHaveLength(1)
    expect(await deps.journal.find(id)).toMatchObject({ state: 'refused', code: 'approver-denied' })
    expect(tatum.state.reports).toEqual([])
    expect(events().filter(event => event !== 'payment denied')).toEqual([])
  })

  test('holds when the journal is lost and both processes start anew', async () => {
    const id = tatum.queue(btcPayment(1))
    approver.onAsked(body => approver.verdicts(body, 'denied'))
    await runOnce(deps, endings)
    await end()
    for (const tail of ['', '-wal', '-shm']) {
      rmSync(join(folder, `payments.sqlite${tail}`), { force: true })
    }
    await begin()
    approver.onAsked(body => approver.verdicts(body))
    expect(await runOnce(deps, endings)).toMatchObject({ failures: ['approver-denied'] })
    expect(approver.asked).toHaveLength(1)
    expect(await deps.journal.find(id)).toMatchObject({ state: 'refused' })
    expect(signer.ledger.count()).toBe(0)
  })

  test('of a stranger is none', async () => {
    const stranger = startApprover([7])
    try {
      const id = tatum.queue(btcPayment(1))
      approver.onAsked(body => stranger.verdicts(body, 'denied'))
      expect(await runOnce(deps, endings)).toMatchObject({ failures: ['approver-unreachable'] })
      expect(await deps.journal.find(id)).toMatchObject({
        state: 'seen',
        reason: '0 of 2 signed approvals (unknown keys: 1)',
      })
    } finally {
      await stranger[Symbol.asyncDispose]()
    }
  })
})

test('what the signer refuses, nobody is asked about', async () => {
  const id = tatum.queue(btcPayment(1))
  await end()
  await begin(() => ({ default: 'deny', rules: [], caps: [], lifted: [], feeCaps: {} }))
  expect(await runOnce(deps, endings)).toMatchObject({ failures: ['policy-denied'] })
  expect(approver.asked).toEqual([])
  expect(await deps.journal.find(id)).toMatchObject({ code: 'policy-denied' })
})

async function begin(policy?: () => Policy): Promise<void> {
  const rules = { keys: approver.keys, approvals: approver.keys.length }
  signer = startSigner(folder, { approvers: rules, now: Date.now, ...(policy && { policy }) })
  front = await startFront(folder, tatum, signer)
  const client = front.deps.signer
  const approve = approveBySignature(
    createSigningApprover({ url: approver.url, method: 'POST', insecureHttp: false }, request),
    { rules, review: reviewInBatches(client), signer: client, now: Date.now },
  )
  deps = { ...front.deps, approve }
}

async function end(): Promise<void> {
  signer[Symbol.dispose]()
  await front[Symbol.asyncDispose]()
}

function events(): readonly unknown[] {
  return front.log.map(({ event }) => event)
}
