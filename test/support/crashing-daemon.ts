/**
 * The daemon with a death in it: both processes as they are, except that every write to ledger and
 * journal and every HTTP exchange is a point, before and after, at which the whole process group
 * can be killed. `crashing-daemon.ts PLAN` starts it; the plan travels in argv to both processes.
 */
import { appendFileSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { realDisk } from '../../src/base/disk.ts'
import { request } from '../../src/base/http.ts'
import { findChain } from '../../src/chains/index.ts'
import { defaultSettings } from '../../src/chains/settings.ts'
import { runFront } from '../../src/daemon/front.ts'
import { openJournal } from '../../src/daemon/journal-sqlite.ts'
import { noApprovers } from '../../src/guard/signed-verdicts.ts'
import { frontChannelFd, launch } from '../../src/signer/launch.ts'
import { openLedger } from '../../src/signer/ledger.ts'
import { runSigner } from '../../src/signer/run.ts'
import { decodeSignerSettings } from '../../src/signer/settings.ts'
import { secretOf } from './secret.ts'
import { testPassword, vaultPlace } from './test-vault.ts'

export type CrashPlan = {
  readonly folder: string
  readonly apiUrl: string
  readonly apiKey: string
  readonly approverUrl: string
  /** Dies at this point, counted from 1 over both processes. */
  readonly dieAt: number
  /** What it is there to cancel, in place of a cycle. */
  readonly cancel?: string
  /** What it is there to sign anew. */
  readonly resign?: string
}

/** One byte per point that was passed. */
export const pointsFile = 'points-passed'

if (import.meta.main) process.exit(await main(process.argv.slice(2)))

async function main([planText = '', role, settings = '']: readonly string[]): Promise<number> {
  const plan: CrashPlan = JSON.parse(planText)
  if (role === 'front') return startFront(plan)
  if (role === 'signer') return startSigner(plan, settings)
  if (ownGroup() !== process.pid) throw new Error('this must lead a process group of its own')
  const { folder, apiUrl, apiKey, approverUrl, cancel = null, resign = null } = plan
  return launch({
    self: [process.execPath, Bun.main, planText],
    signer: {
      vaultPath: vaultPlace(folder).path,
      network: 'mainnet',
      chainSettings: defaultSettings,
      secretMemory: 'auto',
      acceptRollback: false,
      acceptNonces: [],
      othersSign: false,
      allowReplacement: false,
      cancel,
      resign,
      approvers: noApprovers,
      requireHardening: false,
      policyPath: null,
      policyShare: null,
      lockWaitMs: 0,
      notifyFd: null,
      watchdogMs: null,
      logPriorities: false,
    },
    front: {
      apiUrl,
      apiKey,
      nodes: { vet: apiUrl, flow: apiUrl },
      approver: { url: approverUrl, method: 'GET', rules: noApprovers },
      insecureHttp: false,
      network: 'mainnet',
      chains: ['BTC', 'ETH'],
      chainSettings: defaultSettings,
      periodMs: 1000,
      runOnce: true,
      cancel,
      resign,
      journalFolder: join(folder, 'journal'),
      sharedJournal: null,
      lockWaitMs: 0,
      operations: {
        log: { json: true, level: 'info', priorities: false },
        metrics: null,
        metricsFile: null,
        stateFolder: join(folder, 'journal'),
        idlePeriodMs: 1000,
        keepPaymentsMs: 86_400_000,
        beatMs: 5000,
      },
    },
    frontCommand: ['front'],
    frontEnvironment: {},
    confine: () => [],
    readPassword: () => secretOf(testPassword),
  })
}

async function startFront(plan: CrashPlan): Promise<number> {
  const outcome = await runFront({
    channelFd: frontChannelFd,
    version: 'test',
    findChain,
    now: () => Date.now(),
    monotonic: () => performance.now(),
    sleep: ms => Bun.sleep(Math.min(ms, 10)),
    random: () => 0,
    writeLog: line => process.stderr.write(`${line}\n`),
    disk: realDisk,
    onStopSignal: () => {},
    http: asked => between(plan, () => request(asked)),
    async openJournal(path, scope, now) {
      const journal = await openJournal(path, scope, now)
      return {
        ...journal,
        record: row => between(plan, () => journal.record(row)),
        renew: row => between(plan, () => journal.renew(row)),
      }
    },
  })
  return outcome !== undefined && 'failures' in outcome ? outcome.failures.length : 0
}

function startSigner(plan: CrashPlan, settings: string): Promise<number> {
  return runSigner(decodeSignerSettings(settings), {
    place: vaultPlace(plan.folder),
    findChain,
    confine: () => {},
    now: () => Date.now(),
    monotonic: () => performance.now(),
    warn: text => process.stderr.write(`${text}\n`),
    note: () => {},
    onStopSignal: () => {},
    onReloadSignal: () => {},
    openLedger(path, auditKey) {
      const ledger = openLedger(path, auditKey)
      return {
        ...ledger,
        commit(entries, decisions) {
          pass(plan)
          ledger.commit(entries, decisions)
          pass(plan)
        },
      }
    },
  })
}

async function between<T>(plan: CrashPlan, work: () => Promise<T>): Promise<T> {
  pass(plan)
  const answer = await work()
  pass(plan)
  return answer
}

function pass({ folder, dieAt }: CrashPlan): void {
  const points = join(folder, pointsFile)
  appendFileSync(points, '.')
  // Two processes may pass at once, so that the number itself may never be seen.
  if (statSync(points).size >= dieAt) process.kill(-ownGroup(), 'SIGKILL')
}

/** Field 5 of proc(5) stat. */
function ownGroup(): number {
  const stat = readFileSync('/proc/self/stat', 'latin1')
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2])
}
