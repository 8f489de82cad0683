import { expect, test } from 'bun:test'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeMachines } from '../support/bundle-home.ts'
import { startFakeTatum } from '../support/fake-tatum.ts'
import { type RecordedCase, recordedCases } from '../support/recorded-cases.ts'
import { idOf, type TestWallet } from '../support/test-vault.ts'

type Queued = {
  readonly wallet: TestWallet
  readonly serializedTransaction: string
  readonly index?: number
}

/** The first recorded payment of a chain from one wallet, whose expiry is long past. */
function recorded(n: number, chain: string): Queued {
  const isUsable = ({ network, pending, expected }: RecordedCase) =>
    network === 'testnet' && pending.hashes.length === 1 && expected.outcome === 'signed'
  const found = recordedCases(chain).find(isUsable)
  const [stored] = Object.values(found?.wallets ?? {})
  if (found === undefined || stored === undefined) throw new Error(`nothing of ${chain}`)
  const { mnemonic, privateKey, secret } = stored
  const key = privateKey ?? secret
  const { index, serializedTransaction } = found.pending
  const secrets = key === undefined ? { mnemonic: mnemonic ?? '' } : { key }
  return {
    wallet: { id: idOf(n), chain, network: 'testnet', ...secrets },
    serializedTransaction,
    ...(index !== undefined && key === undefined && { index }),
  }
}

test('a payment is left out that its network takes for less than 15 minutes', async () => {
  const vet = recorded(4, 'VET')
  const lasting = (expiration: number): Queued => {
    const contents = { ...JSON.parse(vet.serializedTransaction), expiration }
    return { ...vet, serializedTransaction: JSON.stringify(contents) }
  }
  const queued = [
    recorded(1, 'TRON'),
    recorded(2, 'XLM'),
    recorded(3, 'ALGO'),
    lasting(89),
    lasting(90),
  ]
  using machines = await makeMachines([...new Set(queued.map(({ wallet }) => wallet))])
  await using tatum = startFakeTatum({ network: 'testnet' })
  for (const { wallet, serializedTransaction, index } of queued) {
    const { chain, id } = wallet
    tatum.queue({
      chain,
      hashes: [id],
      serializedTransaction,
      ...(index !== undefined && { index }),
    })
  }
  const list = await machines.offline(['list', '--public'])
  writeFileSync(join(machines.folder, 'w.json'), list.stdout)
  const run = await machines.online(tatum, [
    'bundle',
    'create',
    '--wallets=w.json',
    '--out=b.json',
    '--testnet',
  ])
  const { leftOut } = JSON.parse(run.stdout)
  const reasons = leftOut.map(({ chain, reason }: Readonly<Record<string, string>>) => {
    return `${chain}: ${/for (.+) at most/.exec(reason ?? '')?.[1] ?? reason}`
  })
  expect(reasons.toSorted()).toEqual(['TRON: 0 seconds', 'VET: 890 seconds', 'XLM: 0 seconds'])
  const { payments } = JSON.parse(readFileSync(join(machines.folder, 'b.json'), 'utf8'))
  const chains = payments.map(({ pending }: { readonly pending: TestWallet }) => pending.chain)
  expect(chains.toSorted()).toEqual(['ALGO', 'VET'])
  expect(run.status).toBe(3)
}, 60_000)
