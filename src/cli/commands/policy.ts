import { KmsError } from '../../base/errors.ts'
import type { Policy } from '../../guard/policy.ts'
import { loadPolicy } from '../../signer/policy-source.ts'
import type { Action } from '../action.ts'
import type { Context } from '../context.ts'
import { explainPending, replayLedger } from '../policy-judgements.ts'
import { summarizePolicy } from '../policy-summary.ts'
import { shareOption } from '../share-option.ts'

/** `policy check|explain|replay FILE [PENDING]` */
export const policy: Action = async (context, [action, file, pending]) => {
  switch (action) {
    case 'check':
      context.terminal.answer(summarizePolicy(load(context, file)))
      return 0
    case 'explain':
      if (pending !== undefined) return explainPending(context, load(context, file), pending)
      throw new KmsError('usage', 'say which file holds pending transactions, as Tatum lists them')
    case 'replay':
      return replayLedger(context, load(context, file))
    default:
      throw new KmsError('usage', 'policy takes check, explain or replay')
  }
}

function load({ place, text }: Context, path = ''): Policy {
  return loadPolicy(place.disk, { path, share: shareOption(text('share')) })
}
