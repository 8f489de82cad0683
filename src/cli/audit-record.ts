import { createHash } from 'node:crypto'
import { hex } from '../base/bytes.ts'
import { type Json, parseJson } from '../base/json.ts'
import { paymentOf, readRowId } from '../signer/ledger-ids.ts'
import type { AuditRecord } from '../signer/read-ledger.ts'

/**
 * What is exported of a record. Of signed bytes it is their digest: an export is read by people who
 * are not to send them.
 */
export function describeRecord(record: AuditRecord): Json {
  const { commit, pendingId, chain, network, serializedHash } = record
  const about = {
    commit: Number(commit),
    time: timeText(record),
    what: whatOf(record),
    id: paymentOf(pendingId),
    chain,
    network,
    contents: hex(serializedHash),
  }
  if (record.kind === 'decision') {
    const { code, reason, digest, decidedBy } = record
    return { ...about, code, reason, digest: digest || null, by: ours(decidedBy) }
  }
  const { txId, txData, claims, releases, facts } = record
  const signed = txData === '' ? null : createHash('sha256').update(txData).digest('hex')
  return {
    ...about,
    txId: txId || null,
    signed,
    claims,
    releases: releases.map(release => ({ ...release })),
    facts: ours(facts),
  }
}

/** One line for a person: `2026-01-01T00:00:00.000Z refused 65… ETH mainnet nonce …`. */
export function recordLine(record: AuditRecord): string {
  const { pendingId, chain, network } = record
  const said = record.kind === 'decision' ? record.reason : record.txId
  const words = [timeText(record), whatOf(record), paymentOf(pendingId), chain, network, said]
  return words.map(word => (word === '' ? '-' : word.replaceAll(/[^\x20-\x7e]/g, '?'))).join(' ')
}

/** Milliseconds since 1970. */
export function recordTime(record: AuditRecord): number {
  return Number(record.kind === 'decision' ? record.decidedAt : record.signedAt)
}

function timeText(record: AuditRecord): string {
  return new Date(recordTime(record)).toISOString()
}

function whatOf(record: AuditRecord): string {
  if (record.kind === 'decision') return record.what
  const row = readRowId(record.pendingId)
  if (row.kind === 'cancellation') return 'cancelled'
  return row.version === 0 ? 'signed' : 'signed-anew'
}

/** JSON that the signer has written itself, and sealed. */
function ours(text: string): Json {
  return (parseJson(text) ?? null) as Json
}
