import type { Intent } from '../base/model.ts'

/** What a payment does, for a person. Its texts come from elsewhere: none may steer a terminal. */
export function intentLines(chain: string, intent: Intent): readonly string[] {
  const { kind, from, outputs, fee, unread } = intent
  return [
    `  ${chain} ${kind}${unread ? ', not all of it could be read' : ''}`,
    ...from.map(address => `  from ${address}`),
    ...outputs.map(({ to, amount, asset, own }) => {
      return `  ${amount} of ${asset} to ${to}${own ? ' (its own)' : ''}`
    }),
    fee === undefined ? '  fee not known yet' : `  fee at most ${fee.amount} of ${fee.asset}`,
  ].map(printable)
}

export function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?')
}
