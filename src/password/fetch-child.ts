import { closeSync } from 'node:fs'
import { type ChildEnd, type Environment, runChild } from '../base/child.ts'
import { diagnosisOf, KmsError } from '../base/errors.ts'
import { asRecord, asString, encodeJson, parseJson } from '../base/json.ts'
import { pipe } from '../base/native.ts'
import { readSecretLine } from '../secret/input.ts'
import type { Secret } from '../secret/secret.ts'
import { type ManagerName, managers } from './managers/names.ts'

export type FetchChild = {
  /** How to start this program again. */
  readonly self: readonly string[]
  readonly manager: ManagerName
  /** A variable's value, wherever it was set; the child gets the manager's own and no others. */
  readonly variable: (name: string) => string | undefined
}

/** All attempts at all requests. */
const timeoutMs = 60_000

/**
 * Asks a secret manager in a process of its own (DESIGN 2): this one does not touch the network, and
 * that one knows no vault. It writes the password to a pipe, from where it is read into locked
 * memory, and it is gone when this returns.
 */
export function fetchInChild({ self, manager, variable }: FetchChild): Secret {
  const { label } = managers[manager]
  if (process.platform === 'win32') {
    throw new KmsError('usage', 'secret managers are asked on linux and macOS only', {
      hint: "pipe the password from the manager's own tool to --password-fd 0",
    })
  }
  const environment = environmentOf(manager, variable)
  const [reader, stdout] = pipe()
  try {
    const end = runToEnd([...self, 'fetch-password', manager], environment, stdout)
    if (end.status !== 0) throw faultOf(end, label)
    const password = readSecretLine(reader)
    if (password !== undefined) return password
    throw new KmsError('unexpected', `the process that asks ${label} wrote no password`)
  } finally {
    closeSync(reader)
  }
}

function runToEnd(command: readonly string[], environment: Environment, stdout: number): ChildEnd {
  try {
    return runChild(command, environment, { stdout, timeoutMs })
  } finally {
    closeSync(stdout)
  }
}

function environmentOf(manager: ManagerName, variable: FetchChild['variable']): Environment {
  const set = managers[manager].variables.flatMap((name): readonly [string, string][] => {
    const value = variable(name)
    if (value?.includes('\0')) throw new KmsError('usage', `${name} holds a zero byte`)
    return value === undefined ? [] : [[name, value]]
  })
  return Object.fromEntries(set)
}

const codes = ['usage', 'network', 'memory'] as const

/** How the child says why it failed; the message is a sentence of ours, its codes are few. */
export function encodeFault(fault: KmsError): string {
  const { code, message, hint = diagnosisOf(fault) } = fault
  return encodeJson({ code, message, hint })
}

function faultOf({ status, isLate, said }: ChildEnd, label: string): KmsError {
  if (isLate) return new KmsError('network', `${label} took longer than ${timeoutMs / 1000} s`)
  const fault = asRecord(parseJson(said.trim().split('\n').at(-1) ?? ''))
  const [message, hint] = [sentence(fault?.get('message')), sentence(fault?.get('hint'))]
  if (message === undefined) {
    const how = status === undefined ? 'was ended by a signal' : `ended with status ${status}`
    return new KmsError('unexpected', `the process that asks ${label} ${how}`)
  }
  const code = codes.find(known => known === fault?.get('code')) ?? 'unexpected'
  return new KmsError(code, message, hint === undefined ? {} : { hint })
}

/** What that process says is shown to a person: one line without control characters. */
function sentence(value: unknown): string | undefined {
  const text = asString(value)
  return text !== undefined && /^[\x20-\x7e]{1,400}$/.test(text) ? text : undefined
}
