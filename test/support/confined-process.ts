/**
 * A process that confines itself as the signer or the front does, with the same code and in the same
 * order, then tries what it must not be able to do. `confined-process.ts PLAN`; prints what came of
 * each attempt, as JSON.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { confineCalls, confineReach } from '../../src/base/confinement.ts'
import { execve } from '../../src/base/native.ts'
import { callKernel, errno, libc } from '../../src/base/native-libc.ts'
import { type Syscall, syscallNumbers } from '../../src/base/syscall-numbers.ts'
import { frontReach, frontRefusals } from '../../src/daemon/confine.ts'
import { signerReach, signerRefusals } from '../../src/signer/confine.ts'

export type ConfinedPlan = {
  readonly role: 'signer' | 'front'
  readonly vaultPath: string
  readonly journalFolder: string
  /** To be read, each one in every way there is. */
  readonly read: readonly string[]
  readonly write: readonly string[]
  /** TCP ports of 127.0.0.1; the front may connect to the first one. */
  readonly ports: readonly number[]
  readonly calls: readonly Syscall[]
  /** Process ids that signal 0 is sent to; the signer may do that to the first one. */
  readonly signal: readonly number[]
}

/** `allowed`, or the name or number of the error. */
export type Outcomes = Readonly<Record<string, string>>

if (import.meta.main) await main(process.argv.slice(2))

async function main([planText = '', stage, missesText = '[]']: readonly string[]): Promise<void> {
  const plan: ConfinedPlan = JSON.parse(planText)
  const { role, vaultPath, journalFolder, ports } = plan
  if (stage === undefined) {
    const misses = confineReach(
      role === 'signer'
        ? signerReach({ vaultPath, policyPath: null })
        : frontReach({
            folders: [journalFolder],
            outlets: [],
            connectPorts: ports.slice(0, 1),
            listenPorts: [],
          }),
    )
    const self = [process.execPath, Bun.main, planText, 'inside', JSON.stringify(misses)] as const
    execve(self[0], self, {})
  }
  const refusals = role === 'signer' ? signerRefusals(plan.signal[0] ?? 0) : frontRefusals()
  const misses = [...JSON.parse(missesText), ...confineCalls(refusals)]
  process.stdout.write(JSON.stringify({ misses: misses.join('; '), ...(await attack(plan)) }))
  process.exit(0)
}

async function attack(plan: ConfinedPlan): Promise<Outcomes> {
  const found: Record<string, string> = {}
  for (const path of plan.read) {
    found[`read ${path}`] = await outcome(() => readFileSync(path))
    found[`read ${path} on a pool thread`] = await outcome(() => readFile(path))
    found[`read ${path} in a worker`] = await inWorker(path)
  }
  found['list /etc'] = await outcome(() => readdirSync('/etc'))
  for (const path of plan.write)
    found[`write ${path}`] = await outcome(() => writeFileSync(path, ''))
  for (const port of plan.ports) found[`connect ${port}`] = await outcome(() => connect(port))
  for (const call of plan.calls) found[call] = called(call)
  for (const pid of plan.signal) found[`signal ${pid}`] = await outcome(() => process.kill(pid, 0))
  found['type into a terminal'] = asked('ioctl', 2, 0x5412, Buffer.from('!'))
  found['paste into a console'] = asked('ioctl', 2, 0x541c, Buffer.from([3]))
  found['signal by a descriptor'] = asked('fcntl', 2, 8, process.pid)
  found['signal by a socket'] = asked('ioctl', 2, 0x8901, new Uint8Array(4))
  found['limit another process'] = asked('prlimit64', process.ppid, 7, 0, new Uint8Array(16))
  found['start a program'] = await outcome(() => Bun.spawnSync(['/bin/true']))
  found['map code'] = mapped(7)
  found['map memory'] = mapped(3)
  return found
}

async function outcome(work: () => unknown): Promise<string> {
  try {
    await work()
    return 'allowed'
  } catch (fault) {
    return fault instanceof Error && 'code' in fault ? String(fault.code) : String(fault)
  }
}

function inWorker(path: string): Promise<string> {
  const code = `const { readFileSync } = require('node:fs')
    try { readFileSync(${JSON.stringify(path)}); postMessage('allowed') }
    catch (fault) { postMessage(fault.code) }`
  const { promise, resolve } = Promise.withResolvers<string>()
  const worker = new Worker(URL.createObjectURL(new Blob([code])))
  worker.onmessage = ({ data }) => resolve(String(data))
  worker.onerror = ({ message }) => resolve(`no worker: ${message}`)
  return promise.finally(() => worker.terminate())
}

function connect(port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const socket = createConnection({ host: '127.0.0.1', port }, resolve)
  socket.on('error', reject)
  return promise.finally(() => socket.destroy())
}

/** With arguments that do nothing where it is allowed. */
function called(call: Syscall): string {
  return asked(call, -1, 0, 0, 0, 0)
}

function asked(call: Syscall, ...args: readonly (number | Uint8Array)[]): string {
  const number = syscallNumbers[call][process.arch === 'arm64' ? 1 : 0]
  if (number === null) return 'no such call here'
  return callKernel(number, ...args) === -1 ? `errno ${errno()}` : 'allowed'
}

function mapped(protection: number): string {
  return Number(libc().mmap(0, 4096, protection, 0x22, -1, 0)) === -1
    ? `errno ${errno()}`
    : 'allowed'
}
