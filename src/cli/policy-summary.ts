import type { Cap, Policy, Rule } from '../guard/policy.ts'

/** What a policy says, a line each, for whoever has just written it. */
export function summarizePolicy(policy: Policy): string {
  const { rules, caps, lifted, feeCaps } = policy
  return [
    `version 1, by default ${policy.default === 'allow' ? 'allowed' : 'denied'}`,
    ...rules.filter(({ action }) => action === 'deny').map(describeRule),
    ...rules.filter(({ action }) => action === 'allow').map(describeRule),
    ...caps.map(describeCap),
    ...Object.entries(feeCaps).map(([chain, cap]) => `fees of ${chain}: at most ${cap}`),
    ...lifted.map(name => `lifted: ${name}`),
  ].join('\n')
}

function describeRule({ name, action, ...rule }: Rule): string {
  const { chains, kinds, wallets, recipients, assets, unread } = rule
  const listed = { chains, kinds, wallets, recipients, assets }
  const about = [
    ...Object.entries(listed).flatMap(([member, texts]) =>
      texts === undefined ? [] : [`${member} ${brief(texts)}`],
    ),
    ...(unread === undefined ? [] : [unread ? 'unread' : 'read to the end']),
  ]
  return `${action} "${name}": ${about.length === 0 ? 'every payment' : about.join('; ')}`
}

function describeCap({
  name,
  asset,
  wallets,
  except,
  eachWallet,
  transaction,
  window,
}: Cap): string {
  const limits = [
    ...(transaction === undefined ? [] : [`${transaction} in one payment`]),
    ...(window === undefined ? [] : [`${window.total} in ${duration(window.ms)}`]),
  ]
  const about = [
    ...(eachWallet ? ['each wallet'] : []),
    ...(wallets === undefined ? [] : [`wallets ${brief(wallets)}`]),
    ...(except === undefined ? [] : [`but to ${brief(except)}`]),
  ]
  return [`cap "${name}": ${asset}, ${limits.join(', ')}`, ...about].join('; ')
}

const shown = 3

function brief(texts: ReadonlySet<string>): string {
  const some = [...texts].slice(0, shown).join(', ')
  return texts.size > shown ? `${some} and ${texts.size - shown} more` : some
}

function duration(ms: number): string {
  return ms % 3_600_000 === 0 ? `${ms / 3_600_000}h` : `${ms / 60_000}m`
}
