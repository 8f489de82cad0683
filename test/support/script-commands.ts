import { chmodSync, copyFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { solPayment, xrpPayment } from './closing-payments.ts'
import { type FakeTatum, startFakeTatum } from './fake-tatum.ts'
import { ethPayment } from './payments.ts'

export type World = {
  readonly binary: readonly string[]
  readonly folder: string
  readonly env: Record<string, string>
  /** What `capture` found; known to the transcript only, never to the program. */
  readonly captured: Record<string, string>
  /** Standard input of the next `kms`. */
  input: string
  /** What `sandbox` started. */
  tatum: FakeTatum | undefined
  last: { readonly status: number; readonly stdout: string; readonly stderr: string }
}

/** Answers whether it holds; a line that starts with `!` wants it not to. */
type Command = (world: World, ...args: string[]) => boolean | Promise<boolean>

export const commands: Readonly<Record<string, Command>> = {
  kms: runBinary,
  status: (world, code: string) => world.last.status === Number(code),
  stdout: (world, pattern: string) => new RegExp(pattern, 'm').test(world.last.stdout),
  stderr: (world, pattern: string) => new RegExp(pattern, 'm').test(world.last.stderr),
  cmp: (world, a: string, b: string) => text(world, a) === text(world, b),
  exists: (world, name: string) => existsSync(join(world.folder, name)),
  mode: (world, name: string, octal: string) =>
    (statSync(join(world.folder, name)).mode & 0o7777) === Number.parseInt(octal, 8),

  /** Starts a Tatum API for the daemon; `$APPROVER` is the address of its approver. */
  sandbox(world) {
    const tatum = startFakeTatum({ network: 'mainnet' })
    world.tatum = tatum
    Object.assign(world.env, { TATUM_API_URL: tatum.url, TATUM_API_KEY: tatum.apiKey })
    world.captured['APPROVER'] = tatum.approverUrl
    return true
  },
  /** `payment N WALLET`: the sandbox asks for the Ethereum payment N of a wallet with one key. */
  payment(world, n: string, wallet: string) {
    world.tatum?.queue({ ...ethPayment(Number(n)), hashes: [wallet], index: undefined })
    return world.tatum !== undefined
  },
  /** `expiring N WALLET`: that of Solana, `numbered N WALLET`: that of XRP with the number 7. */
  expiring(world, n: string, wallet: string) {
    world.tatum?.queue(solPayment(Number(n), { hashes: [wallet] }))
    return world.tatum !== undefined
  },
  numbered(world, n: string, wallet: string) {
    world.tatum?.queue(xrpPayment(Number(n), 7, wallet))
    return world.tatum !== undefined
  },
  /** `broadcasts on|off`: whether Tatum takes signed bytes. */
  broadcasts(world, state: string) {
    if (state === 'on') world.tatum?.heal('broadcast')
    else world.tatum?.fail('broadcast', { kind: 'close-before-acting' })
    return world.tatum !== undefined
  },
  /** `mining on|off`: whether transactions get into blocks. */
  mining(world, state: string) {
    if (state === 'on') world.tatum?.mine()
    else world.tatum?.stopMining()
    return world.tatum !== undefined
  },

  /** `stdin FILE`, or `stdin -` for what the last command printed. */
  stdin(world, name: string) {
    world.input = text(world, name === '-' ? 'stdout' : name)
    return true
  },
  /** `save stdout FILE`: as `> FILE` would. */
  save(world, name: string, file: string) {
    writeFileSync(join(world.folder, file), text(world, name), { mode: 0o600 })
    return true
  },
  env(world, assignment: string) {
    const [name = '', ...value] = assignment.split('=')
    world.env[name] = value.join('=')
    return true
  },
  chmod(world, octal: string, name: string) {
    chmodSync(join(world.folder, name), Number.parseInt(octal, 8))
    return true
  },
  copy(world, from: string, to: string) {
    copyFileSync(join(world.folder, from), join(world.folder, to))
    return true
  },
  capture(world, name: string, pattern: string) {
    const found = new RegExp(pattern, 'm').exec(world.last.stdout)?.[1]
    if (found !== undefined) world.captured[name] = found
    return found !== undefined
  },
}

/** A crash or a run that hangs is never the failure that `! kms` asks for. */
async function runBinary(world: World, ...args: string[]): Promise<boolean> {
  const run = Bun.spawn([...world.binary, ...args], {
    // Without a terminal of the developer: a prompt must fail here and not wait.
    detached: true,
    cwd: world.folder,
    env: world.env,
    stdin: Buffer.from(world.input),
    stderr: 'pipe',
    timeout: 30_000,
    killSignal: 'SIGKILL',
  })
  world.input = ''
  const [stdout, stderr] = await Promise.all([run.stdout.text(), run.stderr.text()])
  const status = await run.exited
  world.last = { status, stdout, stderr }
  if (run.signalCode !== null) throw new Error(`ended by ${run.signalCode}`)
  return status === 0
}

function text({ folder, last }: World, name: string): string {
  if (name === 'stdout' || name === 'stderr') return last[name]
  return readFileSync(join(folder, name), 'utf8')
}
