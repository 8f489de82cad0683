import { KmsError } from '../base/errors.ts'
import { asArray, asRecord, asString } from '../base/json.ts'
import type { Output } from '../base/model.ts'
import type { Judged } from '../guard/policy.ts'

/** A payment of the ledger as policies see it, from its facts (`factsOf` in job.ts). */
export function judgedFrom(chain: string, facts: unknown): Judged {
  const record = asRecord(facts)
  const fee = asRecord(record?.get('fee'))
  return {
    chain,
    wallets: need(asArray(record?.get('keys'))).map(key =>
      need(asString(asRecord(key)?.get('signatureId'))),
    ),
    intent: {
      kind: need(asString(record?.get('kind'))),
      outputs: need(asArray(record?.get('outputs'))).map(outputFrom),
      ...(fee && { fee: { amount: amountIn(fee), asset: need(asString(fee.get('asset'))) } }),
      ...(record?.get('unread') === true && { unread: true }),
    },
  }
}

function outputFrom(value: unknown): Output {
  const record = asRecord(value)
  return {
    to: need(asString(record?.get('to'))),
    amount: amountIn(record),
    asset: need(asString(record?.get('asset'))),
    own: record?.get('own') === true,
  }
}

function amountIn(record: ReadonlyMap<string, unknown> | undefined): bigint {
  const text = asString(record?.get('amount')) ?? ''
  if (/^\d+$/.test(text)) return BigInt(text)
  throw unreadable()
}

function need<T>(value: T | undefined): T {
  if (value === undefined) throw unreadable()
  return value
}

/** They are sealed: nobody else has written them. */
function unreadable(): KmsError {
  return new KmsError('vault-damaged', 'what the ledger has of a payment cannot be read')
}
