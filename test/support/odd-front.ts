/**
 * The daemon with a front that misbehaves: `odd-front.ts PLAN` becomes a real signer on the vault in
 * a folder, whose child does what the plan says and nothing else.
 */
import { closeSync } from 'node:fs'
import type { Json } from '../../src/base/json.ts'
import { findChain } from '../../src/chains/index.ts'
import { defaultSettings } from '../../src/chains/settings.ts'
import { noApprovers } from '../../src/guard/signed-verdicts.ts'
import { openChannel } from '../../src/signer/channel.ts'
import { frontChannelFd, launch } from '../../src/signer/launch.ts'
import { openLedger } from '../../src/signer/ledger.ts'
import { encodeQuestion } from '../../src/signer/messages.ts'
import { runSigner } from '../../src/signer/run.ts'
import { decodeSignerSettings } from '../../src/signer/settings.ts'
import { ethPayment } from './payments.ts'
import { secretOf } from './secret.ts'
import { idOf, type TestWallet, testPassword, vaultPlace } from './test-vault.ts'

/** Each of its public keys takes its private one. */
export const hardenedWallet: TestWallet = {
  ...{ id: idOf(77), chain: 'SOL', network: 'mainnet' },
  mnemonic: 'legal winner thank year wave sausage worth useful legal winner thank yellow',
}

export type OddPlan = {
  readonly folder: string
  readonly front: /** Ends with status 7 as soon as the signer is ready. */
    | 'ends'
    /** Closes the pipe then, and lives on. */
    | 'closes-and-stays'
    /** Asks for a payment whose stored bytes fit no frame, then for something else. */
    | 'asks-too-much'
    /** Asks everything at once, again and again. */
    | 'asks-without-end'
    /** Asks nothing. */
    | 'waits'
  readonly lockWaitMs?: number
  readonly acceptRollback?: boolean
}

/** How many questions make one. */
const flood = 4_000

if (import.meta.main) process.exit(await main(process.argv.slice(2)))

async function main([planText = '', role, settings = '']: readonly string[]): Promise<number> {
  const plan: OddPlan = JSON.parse(planText)
  if (role === 'front') return misbehave(plan)
  if (role === 'signer') return startSigner(plan, settings)
  const { folder, lockWaitMs = 0, acceptRollback = false } = plan
  return launch({
    self: [process.execPath, Bun.main, planText],
    signer: {
      vaultPath: vaultPlace(folder).path,
      network: 'mainnet',
      chainSettings: defaultSettings,
      secretMemory: 'auto',
      lockWaitMs,
      acceptRollback,
      acceptNonces: [],
      othersSign: false,
      notifyFd: null,
      watchdogMs: null,
      logPriorities: false,
      allowReplacement: false,
      cancel: null,
      resign: null,
      approvers: noApprovers,
      requireHardening: false,
      policyPath: null,
      policyShare: null,
    },
    front: null,
    frontCommand: ['front'],
    frontEnvironment: {},
    confine: () => [],
    readPassword: () => secretOf(testPassword),
  })
}

function misbehave({ front }: OddPlan): Promise<number> {
  const { promise: status, resolve: end } = Promise.withResolvers<number>()
  const pipe = openChannel(frontChannelFd, {
    onFrame(n, body) {
      if (n > 0) hear(n, body)
      if ((body as { type?: unknown }).type !== 'ready') return
      process.stderr.write('the front is up\n')
      if (front === 'ends') end(7)
      if (front === 'closes-and-stays') closeSync(frontChannelFd)
      if (front === 'asks-too-much') {
        const payments = [{ pending: ethPayment(1), completion: {} }]
        pipe.send(1, encodeQuestion({ type: 'sign', payments }))
        pipe.send(2, encodeQuestion({ type: 'status' }))
      }
      if (front === 'asks-without-end') for (let i = 1; i <= flood; i++) pipe.send(i, floodOf(i))
    },
    onEnd: () => {
      if (front !== 'closes-and-stays') end(0)
    },
  })
  let heard = 0
  const hear = (n: number, body: unknown): void => {
    process.stderr.write(front === 'asks-too-much' ? `${n}: ${JSON.stringify(body)}\n` : '')
    if (++heard === (front === 'asks-too-much' ? 2 : flood)) end(7)
  }
  setInterval(() => {}, 1000)
  return status
}

/** What is answered at once, and what opens a key each time. */
function floodOf(i: number): Json {
  if (i % 2 === 0) return encodeQuestion({ type: 'status' })
  const refs = [{ signatureId: hardenedWallet.id, index: i }]
  return encodeQuestion({ type: 'publicKeys', chain: 'SOL', refs })
}

async function startSigner({ folder, front }: OddPlan, settings: string): Promise<number> {
  const say = (text: string): void => void process.stderr.write(`${text}\n`)
  try {
    return await runSigner(decodeSignerSettings(settings), {
      place: vaultPlace(folder),
      findChain,
      confine: () => {},
      now: () => Date.now(),
      monotonic: () => performance.now(),
      warn: text => say(`warning: ${text}`),
      note: () => {},
      onReloadSignal: () => {},
      onStopSignal: stop => process.on('SIGTERM', stop),
      openLedger(path, auditKey) {
        const ledger = openLedger(path, auditKey)
        if (front !== 'asks-too-much') return ledger
        const serializedHash = new Bun.CryptoHasher('sha256')
          .update(ethPayment(1).serializedTransaction)
          .digest()
        const txData = 'x'.repeat(64 * 2 ** 20)
        const stored = {
          chain: 'ETH',
          network: 'mainnet',
          serializedHash,
          txData,
          txId: '',
        } as const
        return { ...ledger, known: ids => new Set(ids), find: () => stored }
      },
    })
  } catch (fault) {
    const { code, message, hint } = fault as { code?: string; message?: string; hint?: string }
    say(`error: ${code}: ${message} (${hint})`)
    return 100
  }
}
