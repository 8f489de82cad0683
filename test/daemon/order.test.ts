import { afterAll, expect, test } from 'bun:test'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { parseTransaction } from 'viem'
import { request } from '../../src/base/http.ts'
import { runOnce } from '../../src/daemon/daemon.ts'
import { startFakeTatum } from '../support/fake-tatum.ts'
import { startFront } from '../support/in-process-front.ts'
import { startSigner } from '../support/in-process-signer.ts'
import { membersOf } from '../support/members.ts'
import { ethPayment, wallets } from '../support/payments.ts'
import { storeWallets } from '../support/test-vault.ts'

const template = mkdtempSync(join(tmpdir(), 'kms-order-'))
await storeWallets(template, Object.values(wallets))
afterAll(() => rmSync(template, { recursive: true }))

const { signal } = new AbortController()
const endings = { stop: signal, abort: signal }
const senders = [{}, { hashes: [wallets.ethKey.id], index: undefined }] as readonly object[]

const delays = fc.array(fc.nat(12), { minLength: 1, maxLength: 30 })
const choices = fc.array(fc.nat(1), { minLength: 1, maxLength: 12 })
/** Each run has a vault, a ledger and a server of its own. */
const numRuns = Math.min(Number(process.env['FC_NUM_RUNS'] ?? 100), 1_000) / 5

test('however long each exchange takes, payments of one sender arrive in the order of their numbers', async () => {
  await fc.assert(
    fc.asyncProperty(choices, delays, async (chosen, waits) => {
      const numbers = await payWithDelays(chosen, waits)
      for (const [sender, own] of numbers.entries()) {
        const count = chosen.filter(choice => choice === sender).length
        expect(own).toEqual(Array.from({ length: count }, (_, i) => i))
      }
    }),
    { numRuns },
  )
}, 120_000)

/** Answers the numbers of the payments of each sender as they came. */
async function payWithDelays(
  chosen: readonly number[],
  waits: readonly number[],
): Promise<readonly (readonly (number | undefined)[])[]> {
  const folder = mkdtempSync(join(tmpdir(), 'kms-order-'))
  cpSync(template, folder, { recursive: true })
  await using tatum = startFakeTatum({ network: 'mainnet' })
  using signer = startSigner(folder)
  let asked = 0
  await using front = await startFront(folder, tatum, signer, {
    async http(sent) {
      await Bun.sleep(waits[asked++ % waits.length] ?? 0)
      return await request(sent)
    },
  })
  const senderOf = new Map<string, number>()
  for (const [n, choice] of chosen.entries()) {
    senderOf.set(tatum.queue(ethPayment(n + 1, senders[choice])), choice)
  }
  const { failures } = await runOnce({ ...front.deps, chains: ['ETH'] }, endings)
  expect(failures).toEqual([])
  rmSync(folder, { recursive: true })
  const arrived = tatum.state.requests
    .filter(({ route }) => route === 'broadcast')
    .map(({ body }) => membersOf(body))
  return senders.map((_, sender) =>
    arrived
      .filter(({ signatureId }) => senderOf.get(String(signatureId)) === sender)
      .map(({ txData }) => parseTransaction(String(txData) as `0x${string}`).nonce ?? 0),
  )
}
