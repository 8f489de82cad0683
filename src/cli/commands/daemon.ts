import { KmsError } from '../../base/errors.ts'
import { chainNames } from '../../chains/names.ts'
import { isPendingId } from '../../tatum/pending.ts'
import type { Action } from '../action.ts'
import { approvalServer } from '../approval-server.ts'
import { chainList } from '../chain-argument.ts'
import { launchDaemon } from '../launch-daemon.ts'

/** `daemon`: polls and pays until it is told to stop. */
export const daemon: Action = async context => {
  const chains = context.text('chain')
  return launchDaemon(context, {
    approver: approvalServer(context),
    chains: chains === undefined ? chainNames.map(([id]) => id) : chainList(chains),
    onlyWallets: walletIds(context.text('wallets')),
    onlyPayments: pendingIds(context.text('transaction-ids')),
    periodMs: periodMs(context.text('period')),
    runOnce: context.isSet('run-once'),
    acceptRollback: context.isSet('accept-rollback'),
    acceptNonces: addresses(context.text('accept-nonce')),
    cancel: null,
    resign: null,
    lockWaitMs: context.place.lockWaitMs,
  })
}

function walletIds(list: string | undefined): readonly string[] | null {
  const ids = list?.toLowerCase().split(',') ?? null
  if (ids?.every(id => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) ?? true) return ids
  throw new KmsError('usage', '--wallets takes signatureIds, separated by commas')
}

function pendingIds(list: string | undefined): readonly string[] | null {
  const ids = list?.split(',') ?? null
  if (ids?.every(isPendingId) ?? true) return ids
  throw new KmsError('usage', '--transaction-ids takes ids of pending transactions, with commas')
}

/** Compared in lower case: capital letters in an address are a checksum, if they mean anything. */
function addresses(list: string | undefined): readonly string[] {
  const given = list?.toLowerCase().split(',') ?? []
  if (given.every(address => /^\w{20,120}$/.test(address))) return given
  throw new KmsError('usage', '--accept-nonce takes addresses, separated by commas')
}

function periodMs(text: string | undefined): number {
  const seconds = Number(text ?? '5')
  if (/^\d+(\.\d+)?$/.test(text ?? '5') && seconds > 0 && seconds <= 86_400) {
    return Math.max(1, Math.round(seconds * 1000))
  }
  throw new KmsError('usage', '--period is a number of seconds above 0, up to a day')
}
