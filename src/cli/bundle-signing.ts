import { KmsError } from '../base/errors.ts'
import type { Json } from '../base/json.ts'
import { decodeUnsigned, encodeSigned } from '../bundle/format.ts'
import { type BundleSigning, type Shown, signBundle } from '../bundle/sign.ts'
import { findChain } from '../chains/index.ts'
import { noApprovers } from '../guard/signed-verdicts.ts'
import { promptYes } from '../password/prompt.ts'
import { asOnlySigner, type OpenSigner, withSigner } from '../signer/with-signer.ts'
import { requireVault } from '../vault/vault.ts'
import type { Context } from './context.ts'
import { statusOfMany } from './exit.ts'
import { intentLines } from './intent-text.ts'
import { impatientLockWait } from './lock-wait.ts'
import { openWithPassword } from './open-vault.ts'
import { chainSettingsOf, exceptionsOf, policyOf } from './signer-rules.ts'

type HandOut = (context: Context, content: string, summary: Record<string, Json>) => void

/** `bundle sign`: what a daemon's signer does, for payments that came in a file. */
export async function signOffline(
  context: Context,
  content: string,
  handOut: HandOut,
): Promise<number> {
  const { place, terminal } = context
  refuseApprovers(context)
  // Its form is looked at before anybody is asked for a password.
  const bundle = decodeUnsigned(content)
  requireVault(place)
  const work = ({ signer, deps }: OpenSigner) =>
    signBundle({ signer, deps }, bundle, (shown, position) => agree(context, shown, position))
  const lockWaitMs = impatientLockWait(context)
  const outcome = await asOnlySigner({ lockWaitMs }, place, () => withVault(context, work))
  for (const { id, chain, reason } of outcome.refused) {
    terminal.warn(`${id} of ${chain} is not signed: ${reason}`)
  }
  const { payments } = outcome.bundle
  const { repeated, refused } = outcome
  if (payments.length > 0 || refused.length === 0) {
    handOut(context, encodeSigned(outcome.bundle), {
      signed: payments.length,
      repeated,
      refused: refused.map(({ id, code, reason }) => ({ id, code, reason })),
    })
  }
  const codes = refused.map(({ code }) => code)
  return statusOfMany(payments.length, codes)
}

function withVault(
  context: Context,
  work: (opened: OpenSigner) => Promise<BundleSigning>,
): Promise<BundleSigning> {
  const { network, place, now, terminal } = context
  const rules = {
    network,
    chainSettings: chainSettingsOf(context),
    ...exceptionsOf(context),
    ...policyOf(context),
    othersSign: false,
    cancel: null,
    resign: null,
    approvers: noApprovers,
  }
  const { warn, note } = terminal
  // `password` has given up the network.
  const world = { place, findChain, now, warn, note, confine() {} }
  return withSigner(rules, world, () => openWithPassword(context), work)
}

function agree({ terminal, isSet }: Context, shown: Shown, position: string): boolean {
  const { id, chain, intent } = shown
  terminal.draw([`payment ${position}: ${id}`, ...intentLines(chain, intent)].join('\n'))
  return isSet('yes') || promptYes('sign it?')
}

function refuseApprovers({ text }: Context): void {
  if (text('approver-key') === undefined) return
  throw new KmsError(
    'usage',
    'approvals cannot be asked for without a network: who runs bundle sign agrees to each payment',
    { hint: 'a --policy binds it as it binds a daemon' },
  )
}
