import { type ErrorCode, KmsError } from '../base/errors.ts'
import { asArray, asRecord, type Json, parseJson, prettyJson } from '../base/json.ts'
import type { Intent } from '../base/model.ts'
import { findChain } from '../chains/index.ts'
import { defaultSettings } from '../chains/settings.ts'
import type { Policy } from '../guard/policy.ts'
import { type Judgement, judge } from '../guard/policy-judge.ts'
import { createSums } from '../guard/policy-sums.ts'
import { openKeyRoom } from '../secret/key-room.ts'
import { type Explained, explainPayment } from '../signer/explain-payment.ts'
import { type Replayed, replayPolicy, sumsOf } from '../signer/policy-history.ts'
import { type LedgerReader, readLedger } from '../signer/read-ledger.ts'
import type { Vault } from '../vault/vault.ts'
import { chainArgument } from './chain-argument.ts'
import type { Context } from './context.ts'
import { exitStatus, statusOfMany } from './exit.ts'
import { intentLines, printable } from './intent-text.ts'
import { openWithPassword } from './open-vault.ts'
import { readPlainFile } from './plain-file.ts'
import { table } from './table.ts'

/** What a policy says of pending transactions, as if they came now and one after the other. */
export async function explainPending(
  context: Context,
  policy: Policy,
  path: string,
): Promise<number> {
  const sent = readPending(context, path)
  const { network, terminal, isSet } = context
  using vault = openWithPassword(context)
  await using room = openKeyRoom()
  const { lifted, feeCaps } = policy
  const chainSettings = { ...defaultSettings, lifted, feeCaps }
  const judgeNow = judgeAfter(context, vault, policy)
  const deps = { vault, room, network, chainSettings, findChain, judge: judgeNow }
  const explained: Explained[] = []
  for (const each of sent) explained.push(await explainPayment(deps, each))
  if (isSet('json')) terminal.answer(prettyJson(explained.map(factsOf)))
  else terminal.answer(explained.map(described).join('\n\n'))
  const codes = explained.map(codeOf).filter(code => code !== undefined)
  return statusOfMany(explained.length - codes.length, codes)
}

/** What it would have said of the payments that the ledger has. */
export function replayLedger(context: Context, policy: Policy): number {
  const { network, terminal, isSet } = context
  using vault = openWithPassword(context)
  using ledger = openLedger(context, vault)
  if (ledger === undefined) throw new KmsError('usage', 'there is no ledger beside the vault')
  const denied: Replayed[] = []
  let payments = 0
  for (const replayed of replayPolicy(policy, ledger, network)) {
    payments++
    if (replayed.judgement.kind !== 'approved') denied.push(replayed)
  }
  const rows = denied.map(({ pendingId, chain, signedAt, judgement }) => {
    const signed = new Date(signedAt).toISOString()
    return { id: pendingId, chain, signed, by: judgement.by, reason: reasonOf(judgement) }
  })
  if (isSet('json')) terminal.answer(prettyJson({ payments, denied: rows }))
  else {
    const cells = rows.map(({ id, chain, signed, by }) => [id, chain, signed, by])
    terminal.answer(table(['id', 'chain', 'signed', 'denied by'], cells))
    terminal.note(`${denied.length} of ${payments} payments would have been denied`)
  }
  return denied.length === 0 ? 0 : exitStatus['policy-denied']
}

/** Far more than Tatum lists at once. */
const maxBytes = 64 * 2 ** 20

/** One, or a list of them. */
function readPending({ place: { disk }, text }: Context, path: string): readonly unknown[] {
  const value = parseJson(readPlainFile(disk, path, maxBytes))
  if (typeof value !== 'object' || value === null) {
    throw new KmsError('usage', `${path} holds no pending transactions in JSON`)
  }
  const chain = text('chain')
  return (asArray(value) ?? [value]).map(sent => ofChain(sent, chain))
}

/** What came with its chain keeps it. */
function ofChain(sent: unknown, chain: string | undefined): unknown {
  const members = asRecord(sent)
  if (members === undefined || chain === undefined || members.has('chain')) return sent
  return { ...Object.fromEntries(members), chain: chainArgument(chain).id }
}

/** Windows hold what the ledger has, and what is approved here takes its part of them. */
function judgeAfter(context: Context, vault: Vault, policy: Policy) {
  using ledger = openLedger(context, vault)
  const { sums, newest } = ledger
    ? sumsOf(policy, ledger, context.network)
    : { sums: createSums(policy.caps), newest: 0 }
  const now = Math.max(context.now(), newest)
  return (payment: Parameters<typeof judge>[1]): Judgement => {
    const judgement = judge(policy, payment, sums.spentAt(now))
    if (judgement.kind === 'approved') sums.count(payment, now)
    return judgement
  }
}

function openLedger({ place }: Context, { auditKey }: Vault): LedgerReader | undefined {
  const path = `${place.path}.ledger`
  return place.disk.lookThrough(path) === undefined ? undefined : readLedger(path, auditKey)
}

function reasonOf(judgement: Judgement): string | null {
  return judgement.kind === 'approved' ? null : judgement.reason
}

function codeOf(explained: Explained): ErrorCode | undefined {
  if ('fault' in explained) return explained.fault.code
  return explained.judgement.kind === 'approved' ? undefined : 'policy-denied'
}

function factsOf(explained: Explained): Json {
  if ('fault' in explained) {
    const { id = null, fault } = explained
    return { id, verdict: 'failed', code: fault.code, reason: fault.message }
  }
  const { id, chain, intent, judgement } = explained
  const { kind: verdict, by } = judgement
  return { id, chain, verdict, by, reason: reasonOf(judgement), intent: intentFacts(intent) }
}

function intentFacts({ kind, from, outputs, fee, expiry, notBefore, unread }: Intent): Json {
  return {
    kind,
    from,
    outputs: outputs.map(output => ({ ...output, amount: `${output.amount}` })),
    ...(fee && { fee: { ...fee, amount: `${fee.amount}` } }),
    ...(expiry !== undefined && { expiry }),
    ...(notBefore !== undefined && { notBefore }),
    ...(unread && { unread }),
  }
}

function described(explained: Explained): string {
  if ('fault' in explained) return printable(`${explained.id ?? '?'}: ${explained.fault.message}`)
  const { id, chain, intent, judgement } = explained
  const verdict = judgement.kind === 'approved' ? `allowed by ${judgement.by}` : judgement.reason
  return [printable(`${id}: ${verdict}`), ...intentLines(chain, intent)].join('\n')
}
