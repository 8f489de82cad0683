import { KmsError } from '../../base/errors.ts'
import type { Completion } from '../../base/model.ts'

/** For transactions that come complete: there is nothing that could be filled in. */
export function fillNothing<Tx>(tx: Tx, completion: Completion): Tx {
  if (Object.keys(completion).length === 0) return tx
  throw new KmsError('transaction-refused', 'completion sets a field of a complete transaction')
}
