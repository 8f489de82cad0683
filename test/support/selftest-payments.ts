import type { Completion } from '../../src/base/model.ts'
import {
  openPayment,
  type SelfPayment,
  signPayment,
} from '../../src/cli/selftest/payment-checks.ts'
import { chainReads } from '../../src/daemon/reads.ts'
import { type KeyRoom, openKeyRoom } from '../../src/secret/key-room.ts'
import { createTatumApi } from '../../src/tatum/api.ts'
import { createNode } from '../../src/tatum/node.ts'
import { type RecordedCase, recordedCases } from './recorded-cases.ts'
import { startReplayTatum } from './replay-tatum.ts'

/** Of every chain the recorded case that `selftest` signs: its name, and on which network. */
const chosen: readonly (readonly [chain: string, network: string, name: string])[] = [
  ['BTC', 'mainnet', 'offchain-p2wpkh-index5'],
  ['BCH', 'mainnet', 'mnemonic-signatures-index'],
  ['LTC', 'mainnet', 'p2wpkh-1in'],
  ['DOGE', 'mainnet', 'p2pkh-1in-1out'],
  ['ETH', 'mainnet', 'erc20-transfer'],
  ['BSC', 'testnet', 'testnet-mnemonic'],
  ['MATIC', 'testnet', 'amoy-mnemonic'],
  ['ONE', 'testnet', 'testnet-mnemonic'],
  ['KCS', 'testnet', 'testnet-mnemonic'],
  ['XDC', 'testnet', 'apothem-mnemonic'],
  ['CELO', 'mainnet', 'feeCurrency-ceur'],
  ['KLAY', 'mainnet', 'type-VALUE_TRANSFER'],
  ['XRP', 'testnet', 'payment XRP with destination+source tag'],
  ['XLM', 'testnet', 'native payment'],
  ['TRON', 'testnet', 'TRX transfer [mnemonic+index]'],
  ['BNB', 'testnet', 'BNB transfer with memo'],
  ['SOL', 'testnet', 'SOL transfer, single signer'],
  ['ADA', 'mainnet', '1 input, 2 outputs (payment + change)'],
  ['VET', 'mainnet', 'native VET transfer mainnet'],
  ['ALGO', 'testnet', 'payment with note, flat fee'],
  ['EGLD', 'mainnet', 'transfer with plain text data'],
  ['FLOW', 'testnet', 'TRANSFER FLOW (type 2) mnemonic+index'],
]

export async function selftestPayments(): Promise<readonly SelfPayment[]> {
  await using room = openKeyRoom()
  const made: SelfPayment[] = []
  for (const [chain, network, name] of chosen) {
    const found = recordedCases(chain).find(each => each.case === name && each.network === network)
    if (found === undefined) throw new Error(`there is no case ${name} of ${chain}`)
    made.push(await paymentOf(found, room))
  }
  return made
}

async function paymentOf(found: RecordedCase, room: KeyRoom): Promise<SelfPayment> {
  const { chain, network, wallets, case: name } = found
  const payment = {
    chain,
    network,
    source: `${signers[chain] ?? 'the original tatum-kms'}: ${name}`,
    pending: { chain, ...(chain === 'VET' ? withNonce(found.pending) : found.pending) },
    wallets: Object.fromEntries(
      Object.entries(wallets).map(([id, { mnemonic, privateKey, secret }]) => [
        id,
        mnemonic === undefined ? { key: privateKey ?? secret ?? '' } : { mnemonic },
      ]),
    ),
    ...(chain === 'FLOW' && { flowScripts: 'original' }),
    completion: {},
    txData: '',
    txId: '',
  }
  const completed = { ...payment, completion: await completionOf(payment, found, room) }
  const [txId = '', ...txData] = (await signPayment(completed, room)).split(' ')
  return { ...completed, txData: txData.join(' '), txId }
}

/** Who else has signed it, where that is not just the original; selftest.test.ts shows that. */
const signers: Readonly<Record<string, string>> = {
  CELO: "viem's serializer for Celo",
  ADA: 'the signatures of the original tatum-kms',
  FLOW: 'the signature of the original tatum-kms',
  VET: 'the original tatum-kms, with its nonce',
}

/** The one that the original took at random when the case was recorded. */
function withNonce(pending: RecordedCase['pending']): RecordedCase['pending'] {
  const asked = JSON.parse(pending.serializedTransaction)
  return { ...pending, serializedTransaction: JSON.stringify({ ...asked, nonce: 883_612_800_000 }) }
}

async function completionOf(
  payment: SelfPayment,
  found: RecordedCase,
  room: KeyRoom,
): Promise<Completion> {
  await using tatum = startReplayTatum(found)
  using opened = await openPayment(payment, room)
  const retries = { sleep: async () => {}, random: () => 0 }
  const settings = { baseUrl: tatum.url, version: 'test', ...retries }
  const { signal } = new AbortController()
  const reads = chainReads(
    {
      api: createTatumApi({ ...settings, apiKey: tatum.apiKey }),
      nodes: { vet: createNode('vet', settings), flow: createNode('flow', settings) },
      signer: { ask: (async () => ({ next: null })) as never },
      journal: { nextNumber: async () => undefined },
      sleep: async () => {},
    },
    found.chain,
    [],
    signal,
  )
  return await opened.chain.complete(opened.pending, opened.own, reads, signal)
}
