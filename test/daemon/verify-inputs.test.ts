import { afterAll, afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ChainSettings } from '../../src/chains/chain.ts'
import { defaultSettings } from '../../src/chains/settings.ts'
import { runOnce } from '../../src/daemon/daemon.ts'
import { makeHome, runDaemonOnce } from '../support/daemon-process.ts'
import { type FakeTatum, startFakeTatum } from '../support/fake-tatum.ts'
import { startFront } from '../support/in-process-front.ts'
import { startSigner } from '../support/in-process-signer.ts'
import { btcPayment, pendingIdOf, wallets } from '../support/payments.ts'
import { describeRaw } from '../support/raw-transaction.ts'
import { storeWallets } from '../support/test-vault.ts'

type Setting = ChainSettings['verifyInputs']

const template = mkdtempSync(join(tmpdir(), 'kms-verify-inputs-'))
await storeWallets(template, [wallets.btcKey])
afterAll(() => rmSync(template, { recursive: true }))

const never = new AbortController().signal
/** Of `btcKey`, P2PKH. */
const script = '76a914d986ed01b7a22225a70edbf2ba7cfb63a15cb3aa88ac'
const previous = describeRaw({ outputs: [{ satoshis: 100_000n, script }] })
const unknown = 'rpc getrawtransaction failed: No such mempool or blockchain transaction.'

let home: ReturnType<typeof makeHome>
let tatum: FakeTatum

beforeEach(() => {
  home = makeHome(template)
  tatum = startFakeTatum({ network: 'mainnet' })
})

afterEach(async () => {
  await tatum.stop()
  home[Symbol.dispose]()
})

test.each(['auto', 'require'] as const)(
  'a payment that states what its inputs hold is paid (%s)',
  async setting => {
    const id = queueLegacy()
    tatum.state.rawTransactions.set(previous.txId, previous.raw)
    await using daemon = await inProcess(setting)
    expect(await daemon.cycle()).toMatchObject({ sent: 1, failures: [] })
    expect(tatum.state.settled.get(id)).toHaveLength(1)
    expect(daemon.warnings()).toEqual([])
    expect(lookUps()).toBe(1)
  },
)

test.each(['auto', 'require'] as const)(
  'a payment that understates its inputs is refused, and nothing is signed (%s)',
  async setting => {
    const id = queueLegacy({ satoshis: 95_000 })
    tatum.state.rawTransactions.set(previous.txId, previous.raw)
    await using daemon = await inProcess(setting)
    const reason = 'input 0 holds 100000 base units, not 95000 as stated'
    for (const _ of [1, 2]) {
      expect(await daemon.cycle()).toMatchObject({ sent: 0, failures: ['transaction-refused'] })
    }
    const error = `${reason} (it is tried again while Tatum lists it)`
    expect(tatum.state.reports).toEqual([{ signatureId: id, error }])
    expect(daemon.warnings()).toMatchObject([
      { event: 'payment not sent', id, reason },
      { event: 'payment not sent', id, reason },
    ])
    expect(daemon.signed()).toBe(0)
    expect(tatum.state.broadcasts.size).toBe(0)
  },
)

test('a payment with false proof is refused', async () => {
  queueLegacy({ satoshis: 95_000 })
  const forged = describeRaw({ outputs: [{ satoshis: 95_000n, script }] })
  tatum.state.rawTransactions.set(previous.txId, forged.raw)
  await using daemon = await inProcess('auto')
  expect(await daemon.cycle()).toMatchObject({ sent: 0, failures: ['transaction-refused'] })
  expect(daemon.signed()).toBe(0)
})

describe('without proof', () => {
  test('a payment is paid by default, with one warning', async () => {
    const id = queueLegacy()
    await using daemon = await inProcess('auto')
    expect(await daemon.cycle()).toMatchObject({ sent: 1, failures: [] })
    handOutAgain()
    expect(await daemon.cycle()).toMatchObject({ sent: 1, failures: [] })
    const reason = expect.stringContaining(unknown)
    const event = 'input amounts not verified'
    expect(daemon.warnings()).toEqual([
      { time: expect.any(String), level: 'warning', event, id, chain: 'BTC', reason },
    ])
    expect(lookUps()).toBe(1)
    expect(tatum.state.reports).toEqual([])
  })

  test('a payment that the signer refuses has no such warning', async () => {
    const paid = queueLegacy()
    const tooLate = queueLegacy({ n: 2 })
    await using daemon = await inProcess('auto')
    expect(await daemon.cycle()).toMatchObject({ sent: 1, failures: ['transaction-refused'] })
    const events = daemon.warnings().map(({ event, id }) => `${id} ${event}`)
    expect(events.toSorted()).toEqual([
      `${paid} input amounts not verified`,
      `${tooLate} payment not sent`,
    ])
  })

  test('a payment that needs it waits, and is paid when there is proof', async () => {
    const id = queueLegacy()
    await using daemon = await inProcess('require')
    for (const _ of [1, 2])
      expect(await daemon.cycle()).toMatchObject({ sent: 0, failures: ['network'] })
    expect(daemon.signed()).toBe(0)
    expect(await daemon.journaled(id)).toMatchObject({
      state: 'seen',
      reason: expect.stringContaining(unknown),
    })
    tatum.state.rawTransactions.set(previous.txId, previous.raw)
    expect(await daemon.cycle()).toMatchObject({ sent: 1, failures: [] })
    expect(tatum.state.settled.get(id)).toHaveLength(1)
    // As with every read that fails: Tatum is told once, and it is tried again.
    expect(tatum.state.reports).toHaveLength(1)
  })

  test('a payment is paid when none is wanted, and nobody is asked', async () => {
    queueLegacy()
    await using daemon = await inProcess('off')
    expect(await daemon.cycle()).toMatchObject({ sent: 1, failures: [] })
    expect(daemon.warnings()).toEqual([])
    expect(lookUps()).toBe(0)
  })

  test('the signer refuses what a front does not ask for', async () => {
    queueLegacy()
    await using daemon = await inProcess('off', 'require')
    expect(await daemon.cycle()).toMatchObject({ sent: 0, failures: ['transaction-refused'] })
    expect(daemon.warnings()).toMatchObject([
      { reason: 'the amount of input 0 is not proved, and --verify-inputs=require asks for it' },
    ])
    expect(daemon.signed()).toBe(0)
  })

  test('other payments of the cycle go on', async () => {
    queueLegacy()
    const other = tatum.queue(btcPayment(2))
    await using daemon = await inProcess('require')
    expect(await daemon.cycle()).toMatchObject({ sent: 1, failures: ['network'] })
    expect([...tatum.state.settled.keys()]).toEqual([other])
  })
})

describe('both processes', () => {
  test('go by --verify-inputs', async () => {
    const id = queueLegacy()
    const required = await runDaemonOnce(home.folder, tatum, args('--verify-inputs=require'))
    expect(required.status).toBe(30)
    expect(tatum.state.broadcasts.size).toBe(0)
    const byDefault = await runDaemonOnce(home.folder, tatum, args())
    expect(byDefault.status).toBe(0)
    expect(byDefault.said.match(/input amounts not verified/g)).toHaveLength(1)
    expect(tatum.state.settled.get(id)).toHaveLength(1)
  })

  test.each([
    ['--verify-inputs is auto, require or off', ['--verify-inputs=yes'], {}],
    ['TATUM_KMS_FLOW_SCRIPTS is cadence1 or original', [], { TATUM_KMS_FLOW_SCRIPTS: 'new' }],
  ] as const)('do not start with another value: %s', async (reason, flags, env) => {
    const daemon = await runDaemonOnce(home.folder, tatum, args(...flags), { env })
    expect(daemon).toEqual({ status: 2, said: `tatum-kms: error: ${reason}\n` })
    expect(tatum.state.requests).toEqual([])
  })

  function args(...flags: readonly string[]): readonly string[] {
    return [`--external-url=${tatum.approverUrl}`, '--chain=BTC', ...flags]
  }
})

/** Spends the one output of `previous`, or says so. */
function queueLegacy({ n = 1, satoshis = 100_000 } = {}): string {
  const { serializedTransaction } = btcPayment(1)
  const tx = JSON.parse(serializedTransaction)
  const [input] = tx.inputs
  const inputs = [{ ...input, prevTxId: previous.txId, output: { satoshis, script } }]
  const changed = JSON.stringify({ ...tx, inputs })
  return tatum.queue(btcPayment(n, { serializedTransaction: changed }))
}

/** As if Tatum had forgotten that it was done. */
function handOutAgain(): void {
  const body = JSON.stringify([tatum.state.pending.get(pendingIdOf(1))])
  tatum.fail('pending', { kind: 'answer', body }, { times: 1 })
}

function lookUps(): number {
  return tatum.state.requests.filter(({ path }) => path === '/v3/bitcoin/node').length
}

/** Front and signer in this process; they can be made to disagree, as if the front was taken over. */
async function inProcess(ofFront: Setting, ofSigner = ofFront) {
  const settings = (verifyInputs: Setting): ChainSettings => ({ ...defaultSettings, verifyInputs })
  const signer = startSigner(home.folder, { chainSettings: settings(ofSigner) })
  const front = await startFront(home.folder, tatum, signer, { chainSettings: settings(ofFront) })
  return {
    cycle: () => runOnce(front.deps, { stop: never, abort: never }),
    warnings: () => front.log.filter(({ level }) => level === 'warning'),
    signed: () => signer.ledger.count(),
    journaled: (id: string) => front.deps.journal.find(id),
    async [Symbol.asyncDispose]() {
      signer[Symbol.dispose]()
      await front[Symbol.asyncDispose]()
    },
  }
}
