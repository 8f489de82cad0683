import { realpathSync } from 'node:fs'
import { dirname } from 'node:path'
import { commonRefusals, pathsOfRuntime, signalRefusals } from '../base/confinement.ts'
import { asArray, asInteger, asRecord, asString } from '../base/json.ts'
import type { PathRule, Reach } from '../base/native-confine.ts'
import type { Refusal } from '../base/seccomp.ts'

/** What the front needs of this machine beside its pipe. */
export type FrontReach = {
  /** Its own, which are made when they are missing. */
  readonly folders: readonly string[]
  /** Where others made room for its metrics. */
  readonly outlets: readonly string[]
  readonly connectPorts: readonly number[]
  readonly listenPorts: readonly number[]
}

/** Off the command line; undefined for what no daemon of ours has written. */
export function decodeFrontReach(value: unknown): FrontReach | undefined {
  const record = asRecord(value)
  const folders = paths(record?.get('folders'))
  const outlets = paths(record?.get('outlets'))
  const connectPorts = ports(record?.get('connectPorts'))
  const listenPorts = ports(record?.get('listenPorts'))
  if (folders === undefined || outlets === undefined) return undefined
  if (connectPorts === undefined || listenPorts === undefined) return undefined
  return { folders, outlets, connectPorts, listenPorts }
}

function paths(value: unknown): readonly string[] | undefined {
  const list = asArray(value)?.map(asString)
  return list?.every(path => path !== undefined) ? list : undefined
}

function ports(value: unknown): readonly number[] | undefined {
  const list = asArray(value)?.map(asInteger)
  return list?.every(isPort) ? list : undefined
}

function isPort(port: number | undefined): port is number {
  return port !== undefined && port >= 0 && port < 65_536
}

/** Where it looks names up (nsswitch.conf(5), resolv.conf(5)), and what time zone it is in. */
const resolverFiles = [
  '/etc/resolv.conf',
  '/etc/hosts',
  '/etc/nsswitch.conf',
  '/etc/host.conf',
  '/etc/gai.conf',
  '/etc/services',
  '/etc/localtime',
  '/usr/share/zoneinfo',
]
const dnsPort = 53

export function frontReach({ folders, outlets, connectPorts, listenPorts }: FrontReach): Reach {
  return {
    paths: [
      ...pathsOfRuntime(),
      ...[...resolverFiles, ...resolverFolder()].map(path => ({ path, access: 'read' }) as const),
      ...[...folders, ...outlets].map((path): PathRule => ({ path, access: 'write' })),
    ],
    connectPorts: [dnsPort, ...connectPorts],
    listenPorts,
    signals: 'own',
  }
}

/**
 * Services like systemd-resolved keep the file in a folder of theirs and replace it there. A
 * resolv.conf that stands in /etc itself and is replaced can't be read until the next start: there
 * is no leave for all of /etc.
 */
function resolverFolder(): readonly string[] {
  try {
    const folder = dirname(realpathSync('/etc/resolv.conf'))
    return folder === '/etc' ? [] : [folder]
  } catch {
    return []
  }
}

export function frontRefusals(): readonly Refusal[] {
  return [...commonRefusals, { call: 'kill' }, ...signalRefusals()]
}

/** Of an address as the front uses it. */
export function portOf({ port, protocol }: URL): number {
  if (port !== '') return Number(port)
  return protocol === 'http:' ? 80 : 443
}
