import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { request } from '../../src/base/http.ts'
import type { Completion, PendingTx } from '../../src/base/model.ts'
import {
  type Chain,
  type ChainDefinition,
  type ChainSettings,
  defineChain,
} from '../../src/chains/chain.ts'
import { chains, findChain } from '../../src/chains/index.ts'
import { defaultSettings } from '../../src/chains/settings.ts'
import { chainReads } from '../../src/daemon/reads.ts'
import { openKeyRoom } from '../../src/secret/key-room.ts'
import type { SignerDeps } from '../../src/signer/job.ts'
import { type Ledger, openLedger } from '../../src/signer/ledger.ts'
import type { SignResult } from '../../src/signer/messages.ts'
import { ownKeys } from '../../src/signer/own-keys.ts'
import { openPolicy } from '../../src/signer/policy.ts'
import { signBatch } from '../../src/signer/sign-batch.ts'
import { createTatumApi } from '../../src/tatum/api.ts'
import { createNode } from '../../src/tatum/node.ts'
import { parsePending } from '../../src/tatum/pending.ts'
import { variantsOf } from '../support/one-off.ts'
import { type RecordedCase, recordedCases } from '../support/recorded-cases.ts'
import { refusal } from '../support/refusal.ts'
import { startReplayTatum } from '../support/replay-tatum.ts'
import { ownOf, paymentOf } from '../support/sol-payments.ts'
import { idOf, openTestVault, storeWallets, type TestWallet } from '../support/test-vault.ts'

// Of two payments alike in every byte a network carries out one: on every chain the signer refuses
// the other, or both would be told of as paid.

const recorded = chains
  .flatMap(({ id }) => recordedCases(id))
  .filter(({ expected }) => expected.outcome === 'signed')
  .map((found, n) => withOwnIds(found, 100 * n))

const folder = mkdtempSync(join(tmpdir(), 'kms-claims-'))
await storeWallets(folder, recorded.flatMap(walletsOf))
const vault = openTestVault(folder)
const room = openKeyRoom()
afterAll(async () => {
  await room[Symbol.asyncDispose]()
  vault[Symbol.dispose]()
  rmSync(folder, { recursive: true })
})

describe('the second of two payments alike in every byte is refused', () => {
  test.each(
    recorded.map((found, n) => [found.chain, found.network, found.case, n, found] as const),
  )('%s %s %s', async (id, _network, _name, n, found) => {
    const chain = findChain(id)
    if (chain === undefined) throw new Error(`no chain ${id}`)
    using ledger = openLedger(join(folder, `${n}.ledger`), vault.auditKey)
    const deps = depsOf(found, ledger)
    const sent = { ...alikeUnderAnyId(found).pending, chain: id }
    const pending = parsePending(sent)
    const completion = await completionOf(found, chain, deps, pending)
    const sign = (...ids: readonly string[]): Promise<readonly SignResult[]> => {
      const payments = ids.map(id => ({ pending: { ...sent, id }, completion }))
      return signBatch(deps, payments, () => {})
    }
    const [first, second, third] = ['1', '2', '3'].map(digit =>
      digit.repeat(24),
    ) as unknown as Three
    const taken = {
      kind: 'refused',
      code: chain.prepare(pending, await ownOfSigner(deps, chain, pending), completion).isDated
        ? 'too-early'
        : 'transaction-refused',
      reason: expect.stringContaining(`payment ${first}`),
    }
    expect(await sign(first, second)).toMatchObject([{ kind: 'signed' }, taken])
    // Now the ledger says so.
    expect(await sign(third)).toMatchObject([taken])
  })
})

const exclusive = ['nonce', 'sequence', 'output']

describe('another payment that uses up the same is refused, whatever the front completes it with', () => {
  const tried = new Set<string>()

  test.each(
    recorded.map((found, n) => [found.chain, found.network, found.case, n, found] as const),
  )('%s %s %s', async (id, _network, _name, n, found) => {
    const chain = findChain(id)
    if (chain === undefined) throw new Error(`no chain ${id}`)
    const path = join(folder, `${n}.other.ledger`)
    const sent = { ...found.pending, chain: id, id: '1'.repeat(24) }
    const signOne = async (pending: object, completion: Completion) => {
      // As after a restart: what was signed is read from the disk.
      using ledger = openLedger(path, vault.auditKey)
      return (await signBatch(depsOf(found, ledger), [{ pending, completion }], () => {}))[0]
    }
    const { completion, other } = await otherPayment(found, chain, sent, path)
    if (other === undefined) return
    tried.add(id)
    expect(await signOne(sent, completion)).toMatchObject({ kind: 'signed' })
    const pending = { ...sent, id: '2'.repeat(24), serializedTransaction: other }
    expect(await signOne(pending, completion)).toMatchObject({
      kind: 'refused',
      code: 'transaction-refused',
      reason: expect.stringMatching(/is already used by payment 1{24}/),
    })
    expect(await signOne({ ...pending, id: '3'.repeat(24) }, completion)).toMatchObject({
      kind: 'refused',
    })
  })

  test('on every chain whose payments have numbers or spend outputs', () => {
    // What Cardano's gateway has made completes no other payment than the one it was made for.
    const others = ['ADA', 'ALGO', 'FLOW', 'SOL', 'TRON', 'VET']
    expect(tried).toEqual(
      new Set(chains.map(({ id }) => id as string).filter(id => !others.includes(id))),
    )
  })

  /** The text of a payment with the same claims that pays otherwise, where one can be made. */
  async function otherPayment(found: RecordedCase, chain: Chain, sent: object, path: string) {
    using ledger = openLedger(path, vault.auditKey)
    const deps = depsOf(found, ledger)
    const pending = parsePending(sent)
    const completion = await completionOf(found, chain, deps, pending)
    const own = await ownOfSigner(deps, chain, pending)
    const { claims, intent } = chain.prepare(pending, own, completion)
    if (!claims.every(claim => exclusive.some(kind => claim.startsWith(`${kind}/`)))) {
      return { completion, other: undefined }
    }
    // Some texts have the hash of what is in them, which is not asked for.
    const text = pending.serializedTransaction.replace(/"hash":"\w+",?/, '')
    const other = variantsOf(text).find(serializedTransaction => {
      try {
        const changed = chain.prepare({ ...pending, serializedTransaction }, own, completion)
        const isOther = !Bun.deepEquals(changed.intent.outputs, intent.outputs)
        return isOther && Bun.deepEquals(changed.claims, claims)
      } catch {
        return false
      }
    })
    return { completion, other }
  }
})

test('is recorded for every chain', () => {
  expect(new Set(recorded.map(({ chain }) => chain))).toEqual(new Set(chains.map(({ id }) => id)))
})

test('a chain that says of a transaction that it uses up nothing signs nothing', () => {
  const definition = (claims: readonly string[]): ChainDefinition<object> => ({
    id: 'SOL',
    name: 'Solana',
    key: { curve: 'ed25519', text: { kind: 'base58-pair' } },
    generates: 'key',
    walletShape: [],
    address: () => '',
    keys: () => [],
    decode: () => ({}),
    intent: () => ({ kind: '', from: [], outputs: [], fee: { amount: 1n, asset: 'SOL' } }),
    fill: () => ({}),
    claims: () => claims,
    messages: () => [],
    assemble: () => ({ txData: '', txId: '' }),
    decodeSigned: () => ({}),
    feeCap: () => 1n,
    order: 'free',
    broadcast: { path: '', offchain: false },
  })
  const prepare = (claims: readonly string[]) =>
    defineChain(definition(claims)).prepare(paymentOf(''), ownOf(), {})
  expect(() => prepare([])).toThrow(refusal('unexpected', /claims nothing/))
  expect(prepare(['tx/1'])).toMatchObject({ claims: ['tx/1'], isDated: false })
})

type Three = readonly [string, string, string]

/** The case under wallet ids that no other case has: recorded ones stand for several wallets. */
function withOwnIds(found: RecordedCase, from: number): RecordedCase {
  const { pending, wallets } = found
  const ids = Object.keys(wallets)
  const renamed = (text: string): string =>
    ids.reduce((done, id, i) => done.replaceAll(id, idOf(from + i)), text)
  const { serializedTransaction } = pending
  return {
    ...found,
    pending: { ...JSON.parse(renamed(JSON.stringify(pending))), serializedTransaction },
    wallets: Object.fromEntries(ids.map((id, i) => [idOf(from + i), wallets[id]])) as never,
  }
}

function walletsOf({ wallets }: RecordedCase): readonly TestWallet[] {
  return Object.entries(wallets).map(([id, { mnemonic, privateKey, secret, chain, testnet }]) => ({
    id,
    chain,
    network: testnet ? 'testnet' : 'mainnet',
    ...(mnemonic === undefined ? { key: privateKey ?? secret ?? '' } : { mnemonic }),
  }))
}

function depsOf(found: RecordedCase, ledger: Ledger): SignerDeps {
  const { network } = found
  const chainSettings = settingsOf(found)
  const noPolicy = openPolicy(
    {
      ...{ ledger, network, chainSettings, now: Date.now, resign: null, read: () => undefined },
      ...{ warn() {}, note() {} },
    },
    undefined,
  )
  return {
    ...{ vault, ledger, room, network, findChain, now: Date.now },
    ...{
      acceptNonces: [],
      allowReplacement: false,
      cancel: null,
      resign: null,
      lockingFailed: () => undefined,
    },
    approvals: null,
    policy: noPolicy,
  }
}

/** VeChain's nonce comes of the pending id where none is given. */
function alikeUnderAnyId(found: RecordedCase): RecordedCase {
  const { chain, pending } = found
  if (chain !== 'VET') return found
  const json = { ...JSON.parse(pending.serializedTransaction), nonce: 7 }
  return { ...found, pending: { ...pending, serializedTransaction: JSON.stringify(json) } }
}

type WithVariables = RecordedCase & { readonly environment?: Readonly<Record<string, string>> }

function settingsOf({ environment }: WithVariables): ChainSettings {
  const isOriginal = environment?.['TATUM_KMS_FLOW_SCRIPTS'] === 'original'
  const flowScripts = isOriginal ? 'original' : defaultSettings.flowScripts
  return { ...defaultSettings, flowScripts, verifyInputs: 'off' }
}

/** What the front would add, from what was recorded. */
async function completionOf(
  found: RecordedCase,
  chain: Chain,
  deps: SignerDeps,
  pending: PendingTx,
): Promise<Completion> {
  await using tatum = startReplayTatum(found)
  const { signal } = new AbortController()
  const settings = { version: 'test', random: () => 0, http: request, sleep: async () => {} }
  const node = createNode('vet', { ...settings, baseUrl: tatum.url })
  const reads = chainReads(
    {
      api: createTatumApi({ ...settings, baseUrl: tatum.url, apiKey: tatum.apiKey }),
      nodes: { vet: node, flow: node },
      signer: { ask: async () => ({ next: null }) as never },
      journal: { nextNumber: async () => undefined },
      sleep: async () => {},
    },
    chain.id,
    [],
    signal,
  )
  return await chain.complete(pending, await ownOfSigner(deps, chain, pending), reads, signal)
}

async function ownOfSigner(deps: SignerDeps, chain: Chain, pending: PendingTx) {
  const owned = await ownKeys(deps, chain, chain.keys(pending))
  const { network } = deps
  const { chainSettings: settings } = deps.policy
  return { network, keys: owned.map(({ publicKey }) => publicKey), settings }
}
