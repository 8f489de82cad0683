import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runDaemon } from '../../src/daemon/daemon.ts'
import { until } from '../support/daemon-process.ts'
import { type FakeTatum, startFakeTatum } from '../support/fake-tatum.ts'
import { startFront } from '../support/in-process-front.ts'
import { startSigner } from '../support/in-process-signer.ts'
import { membersOf } from '../support/members.ts'
import { alice, compile, shop, transfer } from '../support/sol-payments.ts'
import { readSol, toBase58 } from '../support/solana.ts'
import { idOf, storeWallets } from '../support/test-vault.ts'

const folder = mkdtempSync(join(tmpdir(), 'kms-twins-'))
const wallet = { id: idOf(1), chain: 'SOL', network: 'mainnet' } as const
await storeWallets(folder, [{ ...wallet, key: toBase58(alice.pair) }])
afterAll(() => rmSync(folder, { recursive: true }))

test('two equal payments of Solana at once are both made, with a blockhash each', async () => {
  await using tatum = startFakeTatum({ network: 'mainnet' })
  const txData = compile(alice.address, [transfer(alice.address, shop, 5n)]).toString('hex')
  const equal = { chain: 'SOL', hashes: [wallet.id] }
  const serializedTransaction = JSON.stringify({ txData })
  const ids = [1, 2].map(() => tatum.queue({ ...equal, serializedTransaction }))
  using signer = startSigner(folder)
  await using front = await startFront(folder, tatum, signer)
  const stop = new AbortController()
  const deps = { ...front.deps, chains: ['SOL'] }
  const running = runDaemon(deps, { stop: stop.signal, abort: new AbortController().signal })
  await until(
    () => tatum.state.settled.size === 2,
    () => JSON.stringify(front.log),
  )
  stop.abort()
  await running

  const sent = transactionsSent(tatum)
  expect(sent.size).toBe(2)
  expect(new Set([...sent.values()].map(({ blockhash }) => blockhash)).size).toBe(2)
  const told = ids.flatMap(id => tatum.state.broadcasts.get(id) ?? [])
  expect(told.toSorted()).toEqual([...sent.keys()].toSorted())
  expect(tatum.state.reports).toEqual([])
  const [waited, ...others] = front.log.filter(({ event }) => event === 'payment not sent')
  expect(others).toEqual([])
  expect(waited).toMatchObject({ code: 'too-early' })
})

/** What nodes were handed, by the first signature. */
function transactionsSent({ state }: FakeTatum) {
  const wires = state.requests
    .map(({ body }) => membersOf(body ?? {}))
    .filter(({ method }) => method === 'sendTransaction')
    .map(({ params }) => readSol(String((params as readonly unknown[])[0])))
  return new Map(wires.map(tx => [tx.signatures[0] ?? '', tx]))
}
