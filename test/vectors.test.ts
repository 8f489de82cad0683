import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startApprover } from './support/approver.ts'
import { comparisons } from './support/comparisons.ts'
import { makeHome, runDaemonOnce } from './support/daemon-process.ts'
import { differences } from './support/differences.ts'
import { expectRefused, type Outcome } from './support/outcome.ts'
import { type RecordedCase, recordedCases, recordedChains } from './support/recorded-cases.ts'
import { startReplayTatum } from './support/replay-tatum.ts'
import { storeWallets } from './support/test-vault.ts'

// Every recorded payment through the built program: vault, both processes, API, an approver who makes
// the digest himself and signs it, broadcast.

/** Two cores: more at a time would only wait for each other. */
const atATime = 3
const empty = mkdtempSync(join(tmpdir(), 'kms-vectors-'))
afterAll(() => rmSync(empty, { recursive: true }))

describe.each(recordedChains())('every recorded %s case', chain => {
  const cases = recordedCases(chain)
  const outcomes = new Map<RecordedCase, Outcome>()
  const counts = { identical: 0, different: 0, refused: 0 }

  beforeAll(async () => {
    const waiting = cases.values()
    const work = async (): Promise<void> => {
      for (const found of waiting) outcomes.set(found, await run(found))
    }
    await Promise.all(Array.from({ length: atATime }, work))
  }, 120_000)

  test.each(cases.map(found => [found.network, found.case, found] as const))(
    '%s %s',
    (_network, name, found) => {
      const did = outcomes.get(found)
      if (did === undefined) throw new Error('the case did not run')
      const { outcome, broadcast, compare, differsFromOriginal } = found.expected
      expect(did.strays).toEqual([])
      if (differsFromOriginal !== undefined) {
        const judge = differences[`${chain} ${name}`]
        if (judge === undefined)
          throw new Error(`nobody says what is right: ${differsFromOriginal}`)
        judge(did, found)
        counts.different++
      } else if (outcome === 'refused') {
        expectRefused(did, found)
        counts.refused++
      } else if (compare !== undefined) {
        const judge = comparisons[compare]
        if (judge === undefined) throw new Error(`nobody knows how to compare ${compare}`)
        judge(did, found)
        counts.identical++
      } else {
        expect({ said: did.said, status: did.status }).toMatchObject({ status: 0 })
        const { path, body } = broadcast ?? {}
        expect(did.broadcasts).toEqual([{ path: path ?? '', body: JSON.stringify(body) }])
        expect(did.reports).toEqual([])
        counts.identical++
      }
    },
  )

  test('is accounted for', () => {
    const { identical, different, refused } = counts
    process.stderr.write(
      `${chain}: ${identical} identical, ${different} deliberately different, ${refused} refused\n`,
    )
    expect(identical + different + refused).toBe(cases.length)
    expect(cases.length).toBeGreaterThan(0)
  })
})

test('every difference is one of a recorded case', () => {
  const recorded = recordedChains()
    .flatMap(recordedCases)
    .filter(({ expected }) => expected.differsFromOriginal !== undefined)
    .map(({ chain, case: name }) => `${chain} ${name}`)
  expect(Object.keys(differences).toSorted()).toEqual(recorded.toSorted())
})

/** Variables that belong to a case (test/vectors/README.md). */
type WithVariables = RecordedCase & { readonly environment?: Readonly<Record<string, string>> }

async function run(found: WithVariables): Promise<Outcome> {
  using home = makeHome(empty)
  await using tatum = startReplayTatum(found)
  await using approver = startApprover([1])
  await storeWallets(
    home.folder,
    Object.entries(found.wallets).map(([id, { mnemonic, privateKey, secret, chain, testnet }]) => ({
      id,
      chain,
      network: testnet ? 'testnet' : 'mainnet',
      ...(mnemonic === undefined ? { key: privateKey ?? secret ?? '' } : { mnemonic }),
    })),
  )
  const flags = found.network === 'testnet' ? ['--testnet'] : []
  const args = [
    `--chain=${found.chain}`,
    `--external-url=${approver.url}`,
    `--approver-key=${approver.keys[0]}`,
    // The outputs that recorded payments spend never existed: nothing could prove what they hold.
    '--verify-inputs=off',
    ...flags,
  ]
  // Nodes of chains were recorded with the rest.
  const env = { ...found.environment }
  return { ...tatum.did, ...(await runDaemonOnce(home.folder, tatum, args, { env })) }
}
