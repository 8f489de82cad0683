import { X509Certificate } from 'node:crypto'
import { fstatSync } from 'node:fs'
import { utf8 } from '../../base/bytes.ts'
import { commonRefusals, confineCalls } from '../../base/confinement.ts'
import { asKmsError, KmsError } from '../../base/errors.ts'
import { type Http, request, retrying } from '../../base/http.ts'
import { encodeFault } from '../../password/fetch-child.ts'
import { askPassword } from '../../password/managers/ask-password.ts'
import { readNamedFile } from '../../password/managers/named-file.ts'
import { findManager, type ManagerName, managers } from '../../password/managers/names.ts'
import { checkedPassword } from '../../password/source.ts'
import { type Secret, secretFrom } from '../../secret/secret.ts'
import type { Action } from '../action.ts'
import type { Context } from '../context.ts'
import { exitStatus } from '../exit.ts'
import { environmentVariable } from '../variables.ts'

/** `fetch-password MANAGER`: the process that other commands start to ask a secret manager. */
export const fetchPassword: Action = async (context, [name = '']) => {
  const manager = findManager(name)
  if (manager === undefined || !fstatSync(1).isFIFO()) {
    throw new KmsError('usage', 'fetch-password is started by other commands, not by hand')
  }
  // What it could not give up, doctor tells: a command is not refused for it.
  confineCalls(commonRefusals)
  try {
    using password = await passwordOf(manager, context)
    context.terminal.answerSecret(password)
    return 0
  } catch (thrown) {
    const fault = asKmsError(thrown)
    context.terminal.log(encodeFault(fault))
    return exitStatus[fault.code]
  }
}

async function passwordOf(manager: ManagerName, context: Context): Promise<Secret> {
  const text = await askPassword(manager, {
    http: createHttp(context),
    // Not the env file: it may hold the password of a vault, and what we need of it was passed on.
    variable: environmentVariable,
    fileOf,
    now: context.now,
  })
  return checkedPassword(secretFrom(utf8(text)), `the secret in ${managers[manager].label}`)
}

const attempts = 3

/** Three attempts at what may pass; a refusal is final. */
function createHttp({ sleep, random }: Context): Http {
  const authorities = fileOf('TATUM_KMS_MANAGER_CA_FILE') ?? fileOf('VAULT_CACERT')
  if (authorities !== undefined) refuseNoCertificate(authorities)
  return retrying(asked => request({ ...asked, authorities }), { attempts, sleep, random })
}

/** The first one must be readable: TLS would only say that the other side cannot be reached. */
function refuseNoCertificate(authorities: string): void {
  try {
    new X509Certificate(authorities)
  } catch {
    throw new KmsError('usage', 'the file of certificate authorities holds no certificate in PEM')
  }
}

function fileOf(name: string): string | undefined {
  const path = environmentVariable(name)
  return path === undefined ? undefined : readNamedFile(name, path)
}
