/**
 * The whole road with the real binary: a vault, known test keys, one payment per chain and network
 * queued at a sandbox Tatum API on this machine, one run of the daemon, and what came of it.
 */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Network } from '../src/base/model.ts'
import { chains } from '../src/chains/index.ts'
import { fakeChains } from '../test/support/fake-chains.ts'
import { type FakeTatum, startFakeTatum } from '../test/support/fake-tatum.ts'
import {
  type RecordedCase,
  type RecordedWallet,
  recordedCases,
} from '../test/support/recorded-cases.ts'

type Row = readonly [chain: string, network: string, payment: string, state: string, txId: string]

const binary = resolve('dist/tatum-kms')
const home = mkdtempSync(join(tmpdir(), 'kms-demo-'))
const passwordFile = join(home, 'password')
/** Cases that show more of the road than the first one: a completion, several script types. */
const preferred = new Set([
  'all-missing',
  'missing-gas-nonce-price',
  'missing-gas-price-nonce',
  'missing-gasPrice-nonce',
  'missing-gasPrice',
  'mixed-inputs-mixed-outputs',
  'TRANSFER FLOW (type 2) mnemonic+index',
  'p2wpkh-2in-2keys-change',
])

try {
  writeFileSync(passwordFile, 'a password for this demo only\n')
  chmodSync(passwordFile, 0o600)
  const rows = [...(await payOn('mainnet')), ...(await payOn('testnet'))]
  printTable(['chain', 'network', 'paid, in base units', 'state', 'transaction id'], rows)
  const unpaid = rows.filter(([, , , state]) => state !== 'signed, broadcast')
  if (unpaid.length > 0) throw new Error(`${unpaid.length} payments did not go out`)
} finally {
  rmSync(home, { recursive: true })
}

async function payOn(network: Network): Promise<readonly Row[]> {
  await using tatum = startFakeTatum({ network })
  const queued = []
  for (const { id } of chains) {
    const found = caseFor(id, network)
    if (found !== undefined) queued.push({ chain: id, pendingId: await queueCase(tatum, found) })
  }
  const flags = network === 'testnet' ? ['--testnet'] : []
  console.log(`$ tatum-kms daemon --run-once --external-url=… ${flags.join(' ')}`)
  await kms(['daemon', '--run-once', `--external-url=${tatum.approverUrl}`, ...flags], '', tatum)
  console.log()
  return queued.flatMap(({ chain, pendingId }) => rowsFor(tatum, chain, network, pendingId))
}

/** A recorded payment that this program signs: of this network and of single keys, where there is one. */
function caseFor(chain: string, network: Network): RecordedCase | undefined {
  const signed = recordedCases(chain).filter(
    ({ expected, pending }) => expected.outcome === 'signed' && pending.withdrawalId === undefined,
  )
  const here = signed.filter(found => found.network === network)
  const candidates = here.length > 0 ? here : signed.map(found => movedTo(network, found))
  return (
    candidates.find(found => preferred.has(found.case)) ??
    candidates.find(({ wallets }) => Object.values(wallets).every(isSingleKey)) ??
    candidates[0]
  )
}

/** The same payment on the other network, which is another payment. */
function movedTo(network: Network, found: RecordedCase): RecordedCase {
  const { chain, pending } = found
  const { serializedTransaction: text } = pending
  const serializedTransaction = fakeChains[chain]?.onNetwork?.(text, network) ?? text
  const id = [...pending.id].toReversed().join('')
  return { ...found, network, pending: { ...pending, id, serializedTransaction } }
}

function isSingleKey({ privateKey, secret }: RecordedWallet): boolean {
  return (privateKey ?? secret) !== undefined
}

/** Stores the case's wallets with the binary and queues its payment under the new signatureIds. */
async function queueCase(tatum: FakeTatum, found: RecordedCase): Promise<string> {
  const { chain, network, wallets, pending } = found
  const stored = new Map<string, string>()
  for (const [oldId, wallet] of Object.entries(wallets)) {
    stored.set(oldId, await storeWallet(chain, network, wallet))
  }
  const { hashes, signatures = [] } = pending
  return tatum.queue({
    ...pending,
    chain,
    hashes: hashes.map(id => stored.get(id)),
    signatures: signatures.map(({ id, index }) => ({ id: stored.get(id), index })),
  })
}

async function storeWallet(
  chain: string,
  network: Network,
  wallet: RecordedWallet,
): Promise<string> {
  const { privateKey, secret, mnemonic } = wallet
  const command = isSingleKey(wallet) ? 'storemanagedprivatekey' : 'storemanagedwallet'
  const args = [command, chain, ...(network === 'testnet' ? ['--testnet'] : [])]
  console.log(`$ tatum-kms ${args.join(' ')}`)
  return JSON.parse(await kms(args, `${privateKey ?? secret ?? mnemonic}\n`)).signatureId
}

function rowsFor(
  tatum: FakeTatum,
  chain: string,
  network: Network,
  pendingId: string,
): readonly Row[] {
  const [settled] = tatum.state.settled.get(pendingId) ?? []
  const isSigned = tatum.state.broadcasts.has(pendingId)
  if (settled === undefined) {
    return [[chain, network, '', isSigned ? 'signed, not broadcast' : 'not signed', '']]
  }
  return settled.paid.map(
    ({ to, amount, asset }, i): Row =>
      i === 0
        ? [chain, network, `${amount} ${asset} to ${to}`, 'signed, broadcast', settled.txId]
        : ['', '', `${amount} ${asset} to ${to}`, 'signed, broadcast', ''],
  )
}

/** Runs the binary to its end and answers its stdout; one that fails ends the demo. */
async function kms(args: readonly string[], stdin: string, tatum?: FakeTatum): Promise<string> {
  const run = Bun.spawn([binary, ...args, `--password-file=${passwordFile}`], {
    cwd: home,
    env: { HOME: home, ...(tatum && addressesOf(tatum)) },
    stdin: new Blob([stdin]),
    stderr: 'inherit',
    timeout: 60_000,
  })
  const answer = await new Response(run.stdout).text()
  if ((await run.exited) !== 0) throw new Error(`tatum-kms ${args[0]} exited with ${run.exitCode}`)
  return answer
}

/** The sandbox stands for the chains' own nodes, too. */
function addressesOf({ url, apiKey }: FakeTatum): Record<string, string> {
  const nodes = { TATUM_KMS_VET_URL: url, TATUM_KMS_FLOW_URL: url }
  return { TATUM_API_URL: url, TATUM_API_KEY: apiKey, ...nodes }
}

function printTable(head: Row, rows: readonly Row[]): void {
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map(row => row[i]?.length ?? 0)))
  for (const row of [head, ...rows]) {
    console.log(
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
  }
}
