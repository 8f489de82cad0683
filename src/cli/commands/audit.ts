import { hex } from '../../base/bytes.ts'
import { KmsError } from '../../base/errors.ts'
import { encodeJson, prettyJson } from '../../base/json.ts'
import { decodeHeadLine, encodeHeadLine, requireHead } from '../../signer/head-line.ts'
import {
  type AuditRecord,
  type LedgerReader,
  readHead,
  readLedger,
} from '../../signer/read-ledger.ts'
import { decodeHeader } from '../../vault/header.ts'
import { readVaultFile, requireVault } from '../../vault/vault.ts'
import type { Action } from '../action.ts'
import { describeRecord, recordLine, recordTime } from '../audit-record.ts'
import type { Context } from '../context.ts'
import { openWithPassword } from '../open-vault.ts'

/** `audit verify|head|export`: what the daemon has signed and decided. */
export const audit: Action = async (context, [action]) => {
  switch (action) {
    case 'verify':
      return verify(context)
    case 'head':
      return head(context)
    case 'export':
      return exportAll(context)
    default:
      throw new KmsError('usage', 'audit takes verify, head or export')
  }
}

function verify(context: Context): number {
  const { terminal, text, now } = context
  const kept = text('head')
  // What was typed is looked at before anybody is asked for a password.
  if (kept !== undefined) decodeHeadLine(kept)
  withLedger(context, (ledger, vaultId) => {
    if (kept !== undefined) requireHead(kept, vaultId, ledger)
    const { signed, decisions, head } = ledger.summary
    const commits = Number(head?.number ?? 0n)
    terminal.answer(
      prettyJson({ commits, signed, decisions, head: encodeHeadLine(vaultId, head, now()) }),
    )
  })
  return 0
}

/** No password: what it says is proved when it is compared. */
function head({ place, terminal, now }: Context): number {
  requireVault(place)
  const { header } = decodeHeader(readVaultFile(place))
  const path = needLedger(place)
  terminal.answer(encodeHeadLine(hex(header.vaultId), readHead(path), now()))
  return 0
}

function exportAll(context: Context): number {
  const { terminal, isSet } = context
  const isWanted = periodOf(context)
  const write = isSet('json')
    ? (record: AuditRecord) => terminal.answer(encodeJson(describeRecord(record)))
    : (record: AuditRecord) => terminal.answer(recordLine(record))
  withLedger(context, ledger => {
    for (const record of ledger.records()) if (isWanted(record)) write(record)
  })
  return 0
}

function withLedger(context: Context, work: (ledger: LedgerReader, vaultId: string) => void): void {
  using vault = openWithPassword(context)
  using ledger = readLedger(needLedger(context.place), vault.auditKey)
  work(ledger, vault.vaultId)
}

function needLedger({ disk, path }: Context['place']): string {
  const ledger = `${path}.ledger`
  if (disk.lookThrough(ledger) !== undefined) return ledger
  throw new KmsError('usage', `there is no ledger at ${ledger}`, {
    hint: 'the daemon makes one at its first start',
  })
}

/** From the first moment of `--since` to the last before `--until`. */
function periodOf({ text }: Context): (record: AuditRecord) => boolean {
  const since = timeOf(text('since'), '--since') ?? Number.NEGATIVE_INFINITY
  const until = timeOf(text('until'), '--until') ?? Number.POSITIVE_INFINITY
  return record => {
    const time = recordTime(record)
    return time >= since && time < until
  }
}

function timeOf(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined
  const time = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?Z)?$/.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(time)) return time
  throw new KmsError('usage', `${option} is a time such as 2026-01-31 or 2026-01-31T12:00Z, in UTC`)
}
