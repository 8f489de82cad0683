import { KmsError } from '../../base/errors.ts'
import type { Completion, PendingTx } from '../../base/model.ts'
import type { Chain, ChainSettings, Own, Prepared } from '../../chains/chain.ts'
import { defaultSettings, isFlowScripts } from '../../chains/settings.ts'
import type { KeyRoom, SignTask } from '../../secret/key-room.ts'
import type { Secret } from '../../secret/secret.ts'
import { requireAll, verifyAll } from '../../signer/job.ts'
import { parsePending } from '../../tatum/pending.ts'
import type { SelfCheck } from './check.ts'
import payments from './payments.json' with { type: 'json' }
import { keyOfMnemonic, keyOfText, needChain, type OpenKey } from './wallet-checks.ts'

/** A payment that somebody else has signed, too. */
export type SelfPayment = {
  readonly chain: string
  readonly network: string
  /** Who has signed it, and which of the recorded cases of test/vectors/sign it is. */
  readonly source: string
  /** As Tatum hands it out. */
  readonly pending: unknown
  /** By signatureId: a mnemonic, or the text of a key. */
  readonly wallets: Readonly<Record<string, { readonly mnemonic?: string; readonly key?: string }>>
  /** What the front added to it. */
  readonly completion: Completion
  /** Where the recorded payment was made with another than today's. */
  readonly flowScripts?: string
  readonly txData: string
  readonly txId: string
}

/** One payment of every chain, all the way through the code that signs it in earnest. */
export function paymentChecks(room: KeyRoom): readonly SelfCheck[] {
  return recorded.map(payment => ({
    name: `payment ${payment.chain}`,
    source: payment.source,
    expected: `${payment.txId} ${payment.txData}`,
    actual: () => signPayment(payment, room),
  }))
}

const recorded: readonly SelfPayment[] = payments

/** Prepared, signed, assembled, read back, verified: the id and the bytes that come of it. */
export async function signPayment(payment: SelfPayment, room: KeyRoom): Promise<string> {
  using opened = await openPayment(payment, room)
  const { chain, pending, own, secrets } = opened
  const prepared = chain.prepare(pending, own, payment.completion)
  const signatures = requireAll(await room.signAll(tasksOf(prepared, secrets)))
  const { txData, txId } = prepared.seal(signatures)
  verifyAll(prepared, signatures, own)
  return `${txId} ${txData}`
}

type OpenPayment = Disposable & {
  readonly chain: Chain
  readonly pending: PendingTx
  readonly own: Own
  /** `own.keys` are the public halves of these. */
  readonly secrets: readonly Secret[]
}

export async function openPayment(payment: SelfPayment, room: KeyRoom): Promise<OpenPayment> {
  const chain = needChain(payment.chain)
  const network = payment.network === 'testnet' ? 'testnet' : 'mainnet'
  const pending = parsePending(payment.pending)
  using opened = new DisposableStack()
  const keys: OpenKey[] = []
  for (const { signatureId, index } of chain.keys(pending)) {
    const { mnemonic, key: text = '' } = payment.wallets[signatureId] ?? {}
    const place = { chain, network, room } as const
    const key = await (mnemonic === undefined
      ? keyOfText(place, text)
      : keyOfMnemonic(place, mnemonic, index ?? 0))
    opened.use(key.secret)
    keys.push(key)
  }
  const publicKeys = keys.map(({ publicKey }) => publicKey)
  const own: Own = { network, keys: publicKeys, settings: settingsOf(payment) }
  const secrets = keys.map(({ secret }) => secret)
  const stack = opened.move()
  return { chain, pending, own, secrets, [Symbol.dispose]: () => stack.dispose() }
}

/** No recorded input proves what it holds: the outputs that they spend never existed. */
function settingsOf({ flowScripts = defaultSettings.flowScripts }: SelfPayment): ChainSettings {
  if (!isFlowScripts(flowScripts)) throw new KmsError('unexpected', 'there are no such scripts')
  return { ...defaultSettings, verifyInputs: 'off', flowScripts }
}

function tasksOf({ requests }: Prepared, secrets: readonly Secret[]): readonly SignTask[] {
  return requests.map(request => {
    const key = secrets[request.key]
    if (key === undefined) throw new KmsError('unexpected', 'a message names a key we lack')
    return { key, request }
  })
}
