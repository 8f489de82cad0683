import type { Output } from '../base/model.ts'
import type { Judged, Rule } from './policy.ts'
import { canonicalText } from './policy-text.ts'

/**
 * Whether a rule is about the payment. What the payment has several of decides on the safe side: a
 * rule that denies is about it when one of them is listed, a rule that allows only when all are.
 */
export function matches(rule: Rule, { chain, wallets, intent }: Judged): boolean {
  const { kind, outputs, unread = false } = intent
  const isAllowing = rule.action === 'allow'
  // What cannot be read is allowed only by those who say that they mean it.
  const isAboutUnread = rule.unread ?? (isAllowing ? false : unread)
  const paid = outputs.filter(isPaid)
  // Money that only goes back to its own keys has no recipient to compare.
  const staysOwn = paid.length === 0 && outputs.some(({ own }) => own)
  const hold = (listed: ReadonlySet<string> | undefined, found: readonly Names[]): boolean => {
    if (listed === undefined) return true
    const isListed = (names: Names): boolean => names.some(name => listed.has(name))
    return isAllowing ? found.length > 0 && found.every(isListed) : found.some(isListed)
  }
  const holdOutputs = (listed: ReadonlySet<string> | undefined, names: (of: Output) => Names) =>
    (isAllowing && staysOwn) || hold(listed, paid.map(names))
  return (
    unread === isAboutUnread &&
    hold(rule.chains, [[chain]]) &&
    // Operations of several kinds in one transaction (XLM).
    hold(
      rule.kinds,
      kind.split('+').map(part => [part]),
    ) &&
    hold(
      rule.wallets,
      wallets.map(id => [id]),
    ) &&
    holdOutputs(rule.recipients, namesOfRecipient) &&
    holdOutputs(rule.assets, namesOfAsset)
  )
}

/** The texts in a list that mean a thing: its own, and that of what it belongs to. */
type Names = readonly string[]

/** An address stands for itself with any tag, memo or note behind it. */
export function namesOfRecipient({ to }: Pick<Output, 'to'>): Names {
  const [address = ''] = to.split('?', 1)
  return [canonicalText(to), canonicalText(address)]
}

/** A contract stands for all of its tokens. */
export function namesOfAsset({ asset }: Pick<Output, 'asset'>): Names {
  const [contract = ''] = asset.split('#', 1)
  return [canonicalText(asset), canonicalText(contract)]
}

/**
 * Whether an output is of somebody else. Remarks (a memo, a lock time) are told as outputs of nothing
 * whose recipient is a description: it has blanks or an equals sign, which no address has.
 */
function isPaid({ own, amount, to }: Output): boolean {
  const [address = ''] = to.split('?', 1)
  return !own && !(amount === 0n && /[ =]/.test(address))
}
