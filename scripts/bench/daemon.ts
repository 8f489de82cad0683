import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { chainNames } from '../../src/chains/names.ts'
import { idOf, type TestWallet } from '../../test/support/test-vault.ts'
import type { Growth } from './growth.ts'
import { type Kind, kinds, pendingOf } from './payments.ts'
import { childrenOf, cpuTime, median, pssOf, statusOf } from './process.ts'
import { rawRate } from './raw-rates.ts'
import type { Row } from './rows.ts'
import { daemonCommand, daemonEnvironment, endToEndRate, startApi } from './throughput.ts'
import { runVaultStep } from './vault.ts'

/** Of the raw rate of each kind of payment, how much the whole way is to reach. */
const shares = {
  ethKey: 0.4,
  ethMnemonic: 0.25,
  xrp: 0.3,
  sol: 0.3,
  btc: 0.3,
  tron: 0.3,
} as const satisfies Readonly<Record<keyof typeof kinds, number>>

export async function rateRows(root: string): Promise<readonly Row[]> {
  const rows: Row[] = []
  for (const [name, share] of Object.entries(shares) as [keyof typeof kinds, number][]) {
    const kind: Kind = kinds[name]
    const pending = pendingOf(kind, 1_000)
    const raw = rawRate(name, pending)
    rows.push({
      name: `1,000 × ${kind.name}`,
      figure: await endToEndRate(root, { wallets: [kind.wallet], pending }),
      unit: '/s',
      limit: share * raw,
      limitName: `${share} × ${Math.round(raw).toLocaleString('en-US')}/s, libraries alone`,
      wanted: 'at least',
    })
  }
  rows.push(await manyWalletsRow(root), await approverRow(root))
  return rows
}

/** The size of the vault does not matter to a payment. */
async function manyWalletsRow(root: string): Promise<Row> {
  const kind: Kind = kinds.ethKey
  const pending = pendingOf(kind, 100)
  const few = await endToEndRate(root, { wallets: [kind.wallet], pending })
  const wallets = [kind.wallet, ...strangers(25_000)]
  return {
    name: '100 × ETH with a vault of 25,000',
    figure: await endToEndRate(root, { wallets, pending }),
    unit: '/s',
    limit: 0.8 * few,
    limitName: `0.8 × ${Math.round(few)}/s, the rate with one wallet`,
    wanted: 'at least',
  }
}

async function approverRow(root: string): Promise<Row> {
  const kind: Kind = kinds.ethKey
  const pending = pendingOf(kind, 1_000)
  return {
    name: '1,000 × ETH, an approver that takes 50 ms',
    figure: await endToEndRate(root, { wallets: [kind.wallet], pending, approvalMs: 50 }),
    unit: '/s',
    limit: 500,
    limitName: 'fixed',
    wanted: 'at least',
  }
}

/** Wallets of a chain that has nothing to pay. */
function strangers(count: number): readonly TestWallet[] {
  return Array.from({ length: count }, (_, n) => ({
    id: idOf(1_000 + n),
    chain: 'BSC',
    network: 'testnet',
    key: `0x${(n + 1).toString(16).padStart(64, '0')}`,
  }))
}

/** How long from the start to the first question, with a password at hand. */
export async function startRow(root: string): Promise<Row> {
  const home = mkdtempSync(join(root, 'start-'))
  writeFileSync(join(home, 'password'), 'a password for the benchmark\n', { mode: 0o600 })
  runVaultStep(['make', join(home, 'wallet.dat'), '10', 'key'])
  const waits: number[] = []
  for (let run = 0; run < 5; run++) {
    await using api = await startApi(home, [])
    const startedAt = performance.timeOrigin + performance.now()
    const command = daemonCommand(home, ['--run-once']).map(arg =>
      arg === '--testnet' ? `--external-url=${api.url}/approve` : arg,
    )
    Bun.spawnSync([...command], { env: daemonEnvironment(home, api.url), stderr: 'ignore' })
    waits.push((await api.stats()).firstPoll - startedAt)
  }
  const scryptMs = median(Array.from({ length: 5 }, () => runVaultStep(['scrypt', '']).scryptMs))
  rmSync(home, { recursive: true })
  return {
    name: 'from start to first poll',
    figure: median(waits),
    unit: 'ms',
    limit: scryptMs + 100,
    limitName: 'scrypt + 100 ms',
    wanted: 'at most',
  }
}

/** What a daemon costs that has nothing to do, by the number of its wallets. */
export async function idleCost(root: string, sizes: readonly number[]) {
  const cpu: { size: number; cost: number }[] = []
  const memory: { size: number; cost: number }[] = []
  let peakMb = 0
  for (const size of sizes) {
    const cost = await idle(root, size)
    cpu.push({ size, cost: cost.cpuMs })
    memory.push({ size, cost: cost.pssMb })
    if (size === 25_000) peakMb = cost.peakMb
  }
  const at25k = (points: typeof cpu): number =>
    points.find(({ size }) => size === 25_000)?.cost ?? 0
  const rows: readonly Row[] = [
    {
      name: 'a poll of 25,000 wallets on 22 chains, both processes',
      figure: at25k(cpu),
      unit: 'ms CPU',
      limit: 60,
      limitName: 'fixed',
      wanted: 'at most',
    },
    {
      name: 'memory of both processes then',
      figure: at25k(memory),
      unit: 'MB',
      limit: 160,
      limitName: `PSS; the peaks at the start add up to ${Math.round(peakMb)} MB`,
      wanted: 'at most',
    },
  ]
  const growth: readonly Growth[] = [
    { name: 'a poll with nothing pending, by wallets', unit: 'ms CPU', points: cpu },
    { name: 'memory of a waiting daemon, by wallets', unit: 'MB', points: memory },
  ]
  return { rows, growth }
}

const polls = 10

async function idle(root: string, size: number) {
  const home = mkdtempSync(join(root, 'idle-'))
  writeFileSync(join(home, 'password'), 'a password for the benchmark\n', { mode: 0o600 })
  runVaultStep([
    'make',
    join(home, 'wallet.dat'),
    String(size),
    'key',
    chainNames.map(([id]) => id).join(','),
  ])
  await using api = await startApi(home, [])
  const command = daemonCommand(home, ['--period=1']).map(arg =>
    arg === '--testnet' ? `--external-url=${api.url}/approve` : arg,
  )
  const daemon = Bun.spawn([...command], {
    env: daemonEnvironment(home, api.url),
    stdout: 'ignore',
    stderr: 'ignore',
  })
  const settled = 3
  const seen = async (cycles: number): Promise<void> => {
    while ((await api.stats()).polls < cycles * chainNames.length) await Bun.sleep(20)
    await Bun.sleep(300)
  }
  await seen(settled)
  const pids = [daemon.pid, ...childrenOf(daemon.pid)]
  const total = (of: (pid: number) => number | undefined): number =>
    pids.reduce((sum, pid) => sum + (of(pid) ?? 0), 0)
  const before = total(cpuTime)
  const cyclesBefore = (await api.stats()).polls / chainNames.length
  await seen(cyclesBefore + polls)
  const cycles = (await api.stats()).polls / chainNames.length - cyclesBefore
  const cpuMs = (total(cpuTime) - before) / cycles
  const pssMb = total(pssOf)
  const peakMb = total(pid => statusOf(pid, 'VmHWM'))
  daemon.kill()
  await daemon.exited
  rmSync(home, { recursive: true })
  return { cpuMs, pssMb, peakMb }
}

/** Payments by their number, from the first poll to the last broadcast. */
export async function pendingGrowth(root: string, sizes: readonly number[]): Promise<Growth> {
  const kind: Kind = kinds.ethKey
  const points = []
  for (const size of sizes) {
    const rate = await endToEndRate(root, {
      wallets: [kind.wallet],
      pending: pendingOf(kind, size),
    })
    points.push({ size, cost: (1_000 * size) / rate })
  }
  return { name: 'paying all that is pending, by payments', unit: 'ms', points }
}
