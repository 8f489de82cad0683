import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FakeTatum } from './fake-tatum.ts'
import { wallets } from './payments.ts'
import { binaryUnderTest } from './script.ts'
import { storeWallets, type TestWallet, testPassword } from './test-vault.ts'

/** Two machines: one that has the vault and no network, one that has the network and no vault. */
export type Machines = Disposable & {
  readonly folder: string
  /** Runs a command without any network, not even to itself. */
  offline(args: readonly string[], input?: string): Promise<Run>
  /** Runs a command that sees `tatum` and no vault. */
  online(tatum: Pick<FakeTatum, 'url' | 'apiKey'>, args: readonly string[]): Promise<Run>
}

export type Run = { readonly status: number; readonly stdout: string; readonly stderr: string }

/** Whether this system lets tests make network namespaces of their own. */
export const canUnshare =
  process.platform === 'linux' &&
  Bun.which('unshare') !== null &&
  Bun.spawnSync(['unshare', '--net', 'true']).exitCode === 0

const withoutNetwork = ['unshare', '--net'] as const

export async function makeMachines(
  stored: readonly TestWallet[] = [wallets.ethMnemonic, wallets.btcKey],
): Promise<Machines> {
  const folder = mkdtempSync(join(tmpdir(), 'kms-bundle-'))
  const vaultFolder = join(folder, 'vault')
  const onlineHome = join(folder, 'online')
  for (const made of [vaultFolder, onlineHome]) mkdirSync(made, { mode: 0o700 })
  writeFileSync(join(folder, 'password'), `${testPassword}\n`, { mode: 0o600 })
  await storeWallets(vaultFolder, stored)
  const vault = [`--path=${vaultFolder}/wallet.dat`, `--password-file=${folder}/password`]
  const before = canUnshare ? withoutNetwork : []
  return {
    folder,
    offline: ([name = '', ...args], input) =>
      run([...before, ...binaryUnderTest, name, ...args, ...vault], {
        cwd: folder,
        env: { HOME: vaultFolder },
        input,
      }),
    online: ({ url, apiKey }, args) => {
      const urls = { TATUM_API_URL: url, TATUM_KMS_VET_URL: url, TATUM_KMS_FLOW_URL: url }
      const env = { HOME: onlineHome, TATUM_API_KEY: apiKey, ...urls }
      return run([...binaryUnderTest, ...args], { cwd: folder, env, input: undefined })
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  }
}

async function run(
  command: readonly string[],
  {
    cwd,
    env,
    input = '',
  }: {
    readonly cwd: string
    readonly env: Readonly<Record<string, string>>
    readonly input: string | undefined
  },
): Promise<Run> {
  const child = Bun.spawn([...command], {
    cwd,
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdin: Buffer.from(input),
    stderr: 'pipe',
    // In a session of its own: there is no terminal to ask at.
    detached: true,
    timeout: 60_000,
    killSignal: 'SIGKILL',
  })
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()])
  return { status: await child.exited, stdout, stderr }
}
