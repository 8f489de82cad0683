import { join } from 'node:path'
import { realDisk } from '../../base/disk.ts'
import { KmsError } from '../../base/errors.ts'
import { type Json, prettyJson } from '../../base/json.ts'
import {
  type PaymentFilter,
  type PaymentState,
  type PaymentSummary,
  paymentStates,
} from '../../daemon/journal.ts'
import { readSharedJournal } from '../../daemon/journal-postgres.ts'
import { readJournal } from '../../daemon/journal-sqlite.ts'
import { askForRetry, mayBeRetried } from '../../daemon/retries.ts'
import { isPendingId } from '../../tatum/pending.ts'
import type { Action } from '../action.ts'
import { approvalServer } from '../approval-server.ts'
import { chainList } from '../chain-argument.ts'
import type { Context } from '../context.ts'
import { isDaemonRunning } from '../is-daemon-running.ts'
import { type DaemonTask, launchDaemon } from '../launch-daemon.ts'
import { impatientLockWait } from '../lock-wait.ts'
import { stateFolder } from '../operations.ts'
import { sharedJournal } from '../shared-journal.ts'
import { table } from '../table.ts'

/** `tx list|show|retry|cancel|resign` */
export const tx: Action = async (context, [action, id]) => {
  switch (action) {
    case 'list':
      if (id === undefined) return list(context)
      throw new KmsError('usage', 'tx list takes no id', { hint: 'tatum-kms tx show ID' })
    case 'show':
      return show(context, needId(id))
    case 'retry':
      return retry(context, needId(id))
    case 'cancel':
      return cancel(context, needId(id))
    case 'resign':
      return resign(context, needId(id))
    default:
      throw new KmsError('usage', 'tx takes list, show, retry, cancel or resign')
  }
}

/** What was typed is not repeated: it may be a secret in the wrong place. */
function needId(id: string | undefined): string {
  if (id !== undefined && isPendingId(id)) return id
  throw new KmsError('usage', 'say which payment: its id from tx list')
}

async function list(context: Context): Promise<number> {
  const { terminal, isSet } = context
  const payments = await readPayments(context, filterOf(context))
  if (isSet('json')) terminal.answer(prettyJson(payments.map(facts)))
  else terminal.answer(table(heads, payments.map(cells)))
  return 0
}

function filterOf({ text }: Context): PaymentFilter {
  const state = text('state')
  const chains = text('chain')
  if (state !== undefined && !isState(state)) {
    throw new KmsError('usage', `--state is one of ${paymentStates.join(', ')}`)
  }
  return { ...(state && { state }), ...(chains && { chains: chainList(chains) }) }
}

function isState(text: string): text is PaymentState {
  return paymentStates.some(state => state === text)
}

async function show(context: Context, pendingId: string): Promise<number> {
  const { terminal, isSet } = context
  const payment = await needPayment(context, pendingId)
  const members = Object.entries(facts(payment))
  if (isSet('json')) terminal.answer(prettyJson(facts(payment)))
  else terminal.answer(members.map(([name, value]) => `${name}: ${shown(value)}`).join('\n'))
  return 0
}

/** Of the same id on both networks, the one of which was heard last. */
async function needPayment(context: Context, pendingId: string): Promise<PaymentSummary> {
  const [payment] = (await readPayments(context, { pendingId })).toSorted(
    (a, b) => b.changedAt - a.changedAt,
  )
  if (payment !== undefined) return payment
  throw new KmsError('usage', 'there is no such payment in the journal', {
    hint: 'tatum-kms tx list shows them all',
  })
}

/** Leaves a note for the daemon; it needs no password, and decides nothing. */
async function retry(context: Context, id: string): Promise<number> {
  const { terminal } = context
  const { state } = await needPayment(context, id)
  if (!mayBeRetried(state)) {
    throw new KmsError('transaction-refused', `the payment is ${state}: there is nothing to try`, {
      hint: 'tatum-kms tx show ID says more; tx resign is for one that has expired',
    })
  }
  askForRetry(realDisk, stateFolder(context), id)
  const daemon = isDaemonRunning(context) ? 'running' : 'stopped'
  terminal.answer(prettyJson({ id, state, daemon }))
  if (state === 'refused') {
    terminal.warn('Tatum was told that this payment is closed: make sure that nobody pays it again')
  }
  return 0
}

async function readPayments(
  context: Context,
  filter: PaymentFilter,
): Promise<readonly PaymentSummary[]> {
  const shared = sharedJournal(context)
  if (shared !== null) return readSharedJournal(shared, filter, context.sleep)
  const path = join(stateFolder(context), 'payments.sqlite')
  if (realDisk.lookThrough(path) !== undefined) return readJournal(path, filter)
  throw new KmsError('usage', `there is no journal at ${path}`, {
    hint: 'the daemon makes one; --journal says where it is when it is not beside the vault',
  })
}

const heads = ['id', 'chain', 'network', 'state', 'changed', 'transaction'] as const

function cells({ pendingId, chain, network, state, changedAt, txId }: PaymentSummary) {
  return [pendingId, chain, network, state, timeText(changedAt), txId ?? '']
}

function facts({ pendingId, seenAt, changedAt, ...payment }: PaymentSummary) {
  const { chain, network, state, txId, reason } = payment
  const times = { seen: timeText(seenAt), changed: timeText(changedAt) }
  return { id: pendingId, chain, network, state, txId, reason, ...times } as const satisfies Json
}

/** What a server said is in it: nothing of that may steer a terminal. */
function shown(value: string | null): string {
  return value?.replaceAll(/[^\x20-\x7e]/g, '?') ?? '-'
}

function timeText(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}

/** The owner has decided: nobody else is asked. */
function cancel(context: Context, id: string): never {
  return carryOut(context, { cancel: id, resign: null, approver: null })
}

/** It is a new signature: whoever agrees to payments agrees to this one again. */
function resign(context: Context, id: string): never {
  return carryOut(context, { cancel: null, resign: id, approver: approvalServer(context) })
}

type Order = Pick<DaemonTask, 'cancel' | 'resign' | 'approver'>

/** Like a daemon's single run, for one payment. */
function carryOut(context: Context, order: Order): never {
  return launchDaemon(context, {
    ...order,
    chains: [],
    onlyWallets: null,
    onlyPayments: null,
    periodMs: 1,
    runOnce: true,
    acceptRollback: false,
    acceptNonces: [],
    allowReplacement: false,
    lockWaitMs: impatientLockWait(context),
  })
}
