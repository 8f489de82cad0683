import { equalBytes, fromHex, hex } from '../base/bytes.ts'
import { KmsError } from '../base/errors.ts'
import type { Head, LedgerReader } from './read-ledger.ts'

/**
 * What is kept elsewhere, so that a ledger that was cut off or replaced is found out:
 * `tatum-kms-head-1:<vault id>:<number>:<MAC>:<generation>:<time>`. One word, for any shell.
 */
export function encodeHeadLine(vaultId: string, head: Head | undefined, now: number): string {
  const { number, mac, generation } = head ?? none
  return [kind, vaultId, number, hex(mac), generation, timeText(now)].join(':')
}

const kind = 'tatum-kms-head-1'
/** Of a ledger without commits: before the first of them stand 32 zeros. */
const none = { number: 0n, generation: 0n, mac: new Uint8Array(32) }

/** ISO 8601, basic: without colons. */
function timeText(now: number): string {
  return new Date(now).toISOString().replace(/\.\d+/, '').replaceAll(/[-:]/g, '')
}

/** Refuses a ledger, of which all else was verified, that does not hold the head kept in `line`. */
export function requireHead(line: string, vaultId: string, ledger: LedgerReader): void {
  const kept = decodeHeadLine(line)
  if (kept.vaultId !== vaultId) {
    throw damaged(`the head is of vault ${kept.vaultId}, and this is vault ${vaultId}`)
  }
  const last = ledger.summary.head?.number ?? 0n
  if (kept.number > last) {
    throw damaged(
      `the ledger ends at commit ${last}, and commit ${kept.number} was seen: it was cut off, or is an older copy`,
    )
  }
  const own = kept.number === 0n ? none : ledger.commit(kept.number)
  if (own?.generation === kept.generation && equalBytes(own.mac, kept.mac)) return
  throw damaged(`commit ${kept.number} is another than the one that was seen: it was replaced`)
}

/** Refuses what is no head at all. */
export function decodeHeadLine(line: string): Head & { readonly vaultId: string } {
  const form = /^tatum-kms-head-1:([0-9a-f]{32}):(\d{1,18}):([0-9a-f]{64}):(\d{1,18}):[\dTZ]+$/
  const [, vaultId = '', number = '', mac = '', generation = ''] = form.exec(line.trim()) ?? []
  const bytes = fromHex(mac)
  if (vaultId === '' || bytes === undefined) {
    throw new KmsError('usage', '--head is a line of tatum-kms audit head, all of it')
  }
  return { vaultId, number: BigInt(number), mac: bytes, generation: BigInt(generation) }
}

function damaged(reason: string): KmsError {
  return new KmsError('vault-damaged', reason, {
    hint: 'stop the daemon: it does not know all that was signed before',
  })
}
