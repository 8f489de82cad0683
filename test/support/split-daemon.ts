import { join } from 'node:path'
import type { DaemonProcess } from './daemon-process.ts'
import type { FakeTatum } from './fake-tatum.ts'
import { binaryUnderTest } from './script.ts'

/** Plays systemd's side of a socket unit: the next connection starts the service behind it. */
export const canActivate = Bun.which('systemd-socket-activate') !== null

type Started = {
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** The keyed half, behind a socket in `folder`; its process begins with the first connection. */
export function startSignerService(
  folder: string,
  { args = [], env = {} }: Started = {},
): DaemonProcess {
  const given = { HOME: folder, ...env }
  const passedOn = Object.keys(given).map(name => `--setenv=${name}`)
  const activate = ['systemd-socket-activate', `--listen=${signerSocket(folder)}`, ...passedOn]
  const flags = [
    `--path=${join(folder, 'wallet.dat')}`,
    `--password-file=${join(folder, 'password')}`,
    ...(args.some(arg => arg.startsWith('--front-user')) ? [] : [`--front-user=${userId()}`]),
  ]
  return start([...activate, '--', ...binaryUnderTest, 'signer-service', ...flags, ...args], given)
}

/** The network half. */
export function startFrontService(
  folder: string,
  tatum: FakeTatum,
  { args = [], env = {} }: Started = {},
): DaemonProcess {
  const flags = [
    `--signer=${signerSocket(folder)}`,
    `--state-folder=${join(folder, 'front')}`,
    `--external-url=${tatum.approverUrl}`,
    '--period=0.05',
  ]
  return start([...binaryUnderTest, 'front-service', ...flags, ...args], {
    HOME: join(folder, 'front'),
    TATUM_API_URL: tatum.url,
    TATUM_KMS_VET_URL: tatum.url,
    TATUM_KMS_FLOW_URL: tatum.url,
    TATUM_API_KEY: tatum.apiKey,
    ...env,
  })
}

export function signerSocket(folder: string): string {
  return join(folder, 'signer.sock')
}

function userId(): number {
  return process.getuid?.() ?? -1
}

function start(command: readonly string[], env: Readonly<Record<string, string>>): DaemonProcess {
  const child = Bun.spawn([...command], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'pipe',
    detached: true,
  })
  let said = ''
  const heard = (async () => {
    const decoder = new TextDecoder()
    for await (const chunk of child.stderr) said += decoder.decode(chunk, { stream: true })
  })()
  return {
    pid: child.pid,
    ended: Promise.all([child.exited, heard]).then(() => child.signalCode ?? child.exitCode ?? -1),
    said: () => said,
    kill: signal => process.kill(child.pid, signal),
  }
}
