import { hex } from '../base/bytes.ts'
import { asKmsError, type ErrorCode, errorCodes, KmsError } from '../base/errors.ts'
import type { Intent, Network } from '../base/model.ts'
import type { Decision } from '../signer/decisions.ts'
import type { SignerDeps } from '../signer/job.ts'
import type { SignResult } from '../signer/messages.ts'
import { type Preview, previewPayment } from '../signer/preview.ts'
import { readPayment } from '../signer/sign-batch.ts'
import type { OpenSigner } from '../signer/with-signer.ts'
import type { SignedBundle, SignedPayment, UnsignedBundle, UnsignedPayment } from './format.ts'

/** What a person is asked about. */
export type Shown = { readonly id: string; readonly chain: string; readonly intent: Intent }

export type BundleSigning = {
  readonly bundle: SignedBundle
  readonly refused: readonly Refused[]
  /** How many had their bytes before. */
  readonly repeated: number
}

type Refused = {
  readonly id: string
  readonly chain: string
  readonly code: ErrorCode
  readonly reason: string
}

/**
 * Signs what a person agrees to, each payment under all rules of a daemon's signer. What the ledger
 * has is not asked about again: it gets the same bytes.
 */
export async function signBundle(
  { signer, deps }: Pick<OpenSigner, 'signer' | 'deps'>,
  { payments: asked, ...head }: UnsignedBundle,
  confirm: (shown: Shown, position: string) => boolean,
): Promise<BundleSigning> {
  requireOurs(deps, head)
  const agreed: UnsignedPayment[] = []
  const refused: Refused[] = []
  const decisions: Decision[] = []
  for (const [at, payment] of asked.entries()) {
    const preview = await previewOrFault(deps, payment, decisions)
    if (preview instanceof KmsError) {
      refused.push({ ...nameOf(payment), code: preview.code, reason: preview.message })
    } else if (
      preview.kind === 'signed-before' ||
      confirm(preview, `${at + 1} of ${asked.length}`)
    ) {
      agreed.push(payment)
    } else {
      refused.push({ ...nameOf(payment), code: 'approver-denied', reason: 'it was not agreed to' })
    }
  }
  if (decisions.length > 0) deps.ledger.commit([], decisions)
  const signed: SignedPayment[] = []
  let repeated = 0
  for (let from = 0; from < agreed.length; from += paymentsPerBatch) {
    const batch = agreed.slice(from, from + paymentsPerBatch)
    for (const [payment, result] of await signAll(signer, batch)) {
      if (result.kind === 'refused') refused.push({ ...nameOf(payment), ...faultOf(result) })
      else signed.push(signedPayment(payment, result))
      if (result.kind === 'signed' && result.repeated) repeated++
    }
  }
  const { vaultId, network } = head
  return { bundle: { vaultId, network, payments: signed }, refused, repeated }
}

async function previewOrFault(
  deps: SignerDeps,
  payment: UnsignedPayment,
  decisions: Decision[],
): Promise<Preview | KmsError> {
  try {
    return await previewPayment(deps, payment, decisions)
  } catch (thrown) {
    return asKmsError(thrown)
  }
}

/** As many as a front may ask for at once. */
const paymentsPerBatch = 500

async function signAll(
  signer: OpenSigner['signer'],
  payments: readonly UnsignedPayment[],
): Promise<readonly (readonly [UnsignedPayment, SignResult])[]> {
  const answer = await signer({ type: 'sign', payments })
  if (!('results' in answer)) throw new KmsError('unexpected', 'the signer answered otherwise')
  return payments.map((payment, i) => {
    const result = answer.results[i]
    if (result?.kind === 'signed' || result?.kind === 'refused') return [payment, result] as const
    throw new KmsError('unexpected', 'a payment was lost in its batch')
  })
}

function signedPayment(
  { pending: sent }: UnsignedPayment,
  { txData, txId }: Extract<SignResult, { kind: 'signed' }>,
): SignedPayment {
  const { pending, serializedHash } = readPayment(sent)
  const { id, chain, withdrawalId = null } = pending
  return { id, chain, contents: hex(serializedHash), withdrawalId, txData, txId }
}

function faultOf({ code, reason }: Extract<SignResult, { kind: 'refused' }>) {
  return { code: errorCodes.find(known => known === code) ?? 'unexpected', reason } as const
}

function nameOf({ pending: sent }: UnsignedPayment): Pick<Refused, 'id' | 'chain'> {
  try {
    const { id, chain } = readPayment(sent).pending
    return { id, chain }
  } catch {
    return { id: '?', chain: '?' }
  }
}

function requireOurs(
  { vault, network }: Pick<SignerDeps, 'vault' | 'network'>,
  head: { readonly vaultId: string; readonly network: Network },
): void {
  if (head.vaultId !== vault.vaultId) {
    throw new KmsError('usage', 'the bundle is for the wallets of another vault')
  }
  if (head.network === network) return
  throw new KmsError('usage', `the bundle is for ${head.network}, and this is ${network}`, {
    hint: head.network === 'testnet' ? 'give --testnet' : 'leave --testnet out',
  })
}
