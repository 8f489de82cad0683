import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { storeWallets, type TestWallet, testPassword } from '../../test/support/test-vault.ts'
import type { Pending } from './payments.ts'
import { binary } from './process.ts'

/** What an instant API saw of a daemon. */
type Stats = {
  readonly polls: number
  readonly broadcasts: number
  /** Milliseconds since 1970. */
  readonly firstPoll: number
  readonly lastBroadcast: number
}

export type Api = AsyncDisposable & {
  readonly url: string
  stats(): Promise<Stats>
}

/** The instant server with these payments in its queue. */
export async function startApi(
  folder: string,
  pending: readonly Pending[],
  approvalMs = 0,
): Promise<Api> {
  const file = join(folder, 'queue.json')
  const chains = Map.groupBy(pending, ({ chain }) => chain)
  writeFileSync(file, JSON.stringify(Object.fromEntries(chains)))
  const program = join(import.meta.dir, 'instant-server.ts')
  const server = Bun.spawn([process.execPath, program, file, String(approvalMs)], {
    stdout: 'pipe',
    stderr: 'inherit',
  })
  let port = ''
  for await (const chunk of server.stdout) {
    port += Buffer.from(chunk)
    if (port.endsWith('\n')) break
  }
  const url = `http://127.0.0.1:${port.trim()}`
  return {
    url,
    stats: async () => (await fetch(`${url}/stats`)).json() as Promise<Stats>,
    async [Symbol.asyncDispose]() {
      server.kill()
      await server.exited
    },
  }
}

/** A folder with a vault of these wallets, and its password in a file. */
async function makeHome(root: string, wallets: readonly TestWallet[]): Promise<string> {
  const home = mkdtempSync(join(root, 'home-'))
  mkdirSync(home, { recursive: true, mode: 0o700 })
  writeFileSync(join(home, 'password'), `${testPassword}\n`, { mode: 0o600 })
  await storeWallets(home, wallets)
  return home
}

export function daemonCommand(home: string, more: readonly string[]): readonly string[] {
  const place = [`--path=${join(home, 'wallet.dat')}`, `--password-file=${join(home, 'password')}`]
  return [binary, 'daemon', '--testnet', ...place, ...more]
}

export function daemonEnvironment(home: string, url: string): Readonly<Record<string, string>> {
  const urls = { TATUM_API_URL: url, TATUM_KMS_VET_URL: url, TATUM_KMS_FLOW_URL: url }
  return { HOME: home, TATUM_API_KEY: 'bench', ...urls }
}

/** Payments a second of one run of the daemon, from the first poll to the last broadcast. */
export async function endToEndRate(
  root: string,
  {
    wallets,
    pending,
    approvalMs,
  }: {
    readonly wallets: readonly TestWallet[]
    readonly pending: readonly Pending[]
    /** How long the approver takes for an answer; none is asked when it is left out. */
    readonly approvalMs?: number
  },
): Promise<number> {
  const home = await makeHome(root, wallets)
  await using api = await startApi(home, pending, approvalMs)
  const chains = [...new Set(pending.map(({ chain }) => chain))].join(',')
  const approver = approvalMs === undefined ? [] : [`--external-url=${api.url}/approve`]
  const command = daemonCommand(home, ['--run-once', `--chain=${chains}`, ...approver])
  const run = Bun.spawnSync([...command], { env: daemonEnvironment(home, api.url), stderr: 'pipe' })
  const { broadcasts, firstPoll, lastBroadcast } = await api.stats()
  if (run.exitCode !== 0 || broadcasts !== pending.length) {
    const said = run.stderr.toString().slice(-500)
    throw new Error(`${broadcasts} of ${pending.length} paid, status ${run.exitCode}: ${said}`)
  }
  rmSync(home, { recursive: true })
  return (1_000 * broadcasts) / (lastBroadcast - firstPoll)
}
