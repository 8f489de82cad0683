/**
 * The sandbox Tatum API as a program of its own, for where the tests cannot listen: inside a machine.
 * Says where it is, then obeys one line of stdin at a time and answers each with one line.
 */
import { createInterface } from 'node:readline'
import { startFakeTatum } from './fake-tatum.ts'
import { ethAddress, ethPayment } from './payments.ts'

export type SandboxPlace = {
  readonly url: string
  readonly apiKey: string
  readonly approverUrl: string
}

if (import.meta.main) await serve()

async function serve(): Promise<void> {
  const tatum = startFakeTatum({ network: 'mainnet', nonces: { [ethAddress]: 5 } })
  const { url, apiKey, approverUrl } = tatum
  console.log(JSON.stringify({ url, apiKey, approverUrl } satisfies SandboxPlace))
  for await (const line of createInterface({ input: process.stdin })) {
    const [order, argument = ''] = line.split(' ')
    if (order === 'queue') console.log(tatum.queue(ethPayment(Number(argument))))
    if (order === 'paid') console.log(tatum.state.settled.get(argument)?.length ?? 0)
  }
  process.exit(0)
}
