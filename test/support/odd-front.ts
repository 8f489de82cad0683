/**
 * The daemon with a front that misbehaves: `odd-front.ts PLAN` becomes a real signer on the vault in
 * a folder, whose child does what the plan says and nothing else.
 */
import { closeSync } from 'node:fs'
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
import { testPassword, vaultPlace } from './test-vault.ts'

export type OddPlan = {
  readonly folder: string
  readonly front: /** Ends with status 7 as soon as the signer is ready. */
    | 'ends'
    /** Closes the pipe then, and lives on. */
    | 'closes-and-stays'
    /** Asks for a payment whose stored bytes fit no frame. */
    | 'asks-too-much'
    /** Asks nothing. */
    | 'waits'
  readonly lockWaitMs?: number
  readonly acceptRollback?: boolean
}

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
    onFrame(_, body) {
      if ((body as { type?: unknown }).type !== 'ready') return
      process.stderr.write('the front is up\n')
      if (front === 'ends') end(7)
      if (front === 'closes-and-stays') closeSync(frontChannelFd)
      if (front === 'asks-too-much') {
        const payments = [{ pending: ethPayment(1), completion: {} }]
        pipe.send(1, encodeQuestion({ type: 'sign', payments }))
      }
    },
    onEnd: () => {
      if (front !== 'closes-and-stays') end(0)
    },
  })
  setInterval(() => {}, 1000)
  return status
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
        return { ...ledger, find: () => stored }
      },
    })
  } catch (fault) {
    const { code, message, hint } = fault as { code?: string; message?: string; hint?: string }
    say(`error: ${code}: ${message} (${hint})`)
    return 100
  }
}
