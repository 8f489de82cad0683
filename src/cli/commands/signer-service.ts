import { closeSync } from 'node:fs'
import { KmsError } from '../../base/errors.ts'
import { awaitInput } from '../../base/native.ts'
import { acceptConnection, peerUser } from '../../base/native-unix.ts'
import { readSystemFile } from '../../base/system-file.ts'
import { serveFront } from '../../signer/launch.ts'
import { requireVault } from '../../vault/vault.ts'
import type { Action } from '../action.ts'
import { approvalRules } from '../approval-server.ts'
import type { Context } from '../context.ts'
import { signerPlanOf } from '../signer-plan.ts'
import { chainSettingsOf, exceptionsOf, refuseReplacement } from '../signer-rules.ts'
import { environmentVariable } from '../variables.ts'

/**
 * `signer-service`: the keyed process as a service of its own. Waits at the socket that systemd has
 * made for a front, becomes its signer, and ends with it.
 */
export const signerService: Action = async context => {
  const { text, isSet, place } = context
  const othersSign = isSet('others-sign')
  const exceptions = exceptionsOf(context)
  refuseReplacement(exceptions.allowReplacement, othersSign)
  const plan = signerPlanOf(context, {
    ...exceptions,
    othersSign,
    chainSettings: chainSettingsOf(context),
    approvers: approvalRules(context),
    lockWaitMs: place.lockWaitMs,
    cancel: null,
    resign: null,
  })
  const frontUser = userId(text('front-user'))
  requireVault(place)
  return serveFront(plan, acceptFront(listeningSocket(), frontUser, context))
}

/** sd_listen_fds(3) */
function listeningSocket(): number {
  const isOurs = environmentVariable('LISTEN_PID') === `${process.pid}`
  if (isOurs && environmentVariable('LISTEN_FDS') === '1') return 3
  throw new KmsError('usage', 'there is no socket to wait at', {
    hint: 'systemd starts this: tatum-kms-signer.socket',
  })
}

/** Of a user's name, as the password file of the system has it (passwd(5)), or of the number itself. */
function userId(name: string | undefined): number {
  if (name === undefined) throw new KmsError('usage', 'say with --front-user who may connect')
  if (/^\d{1,9}$/.test(name)) return Number(name)
  const users = (readSystemFile('/etc/passwd') ?? '').split('\n').map(line => line.split(':'))
  const [, , id = ''] = users.find(([known]) => known === name) ?? []
  if (/^\d{1,9}$/.test(id)) return Number(id)
  throw new KmsError('usage', 'the user of --front-user is not in /etc/passwd')
}

/** The first connection of the one who may; after that nobody is listened to any more. */
function acceptFront(listener: number, frontUser: number, { terminal }: Context): number {
  for (;;) {
    const fd = acceptConnection(listener)
    const user = peerUser(fd)
    // A front says nothing before it is asked to: what can be read is the end of one that gave up.
    if (user === frontUser && !awaitInput(fd, 0)) {
      closeSync(listener)
      return fd
    }
    if (user !== frontUser) terminal.warn(`user ${user} connected, who is not the front's: refused`)
    closeSync(fd)
  }
}
