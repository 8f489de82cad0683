import type { Network } from '../../src/base/model.ts'
import type { FakePending, Settled } from './fake-chains/fake-chain.ts'
import { fakeChains } from './fake-chains.ts'
import { membersOf } from './members.ts'

export type QueuedTx = Omit<FakePending, 'id' | 'chain'> & {
  readonly id?: string
  readonly chain: string
}

/** What the API remembers, and what the chains behind it have seen. */
export type World = {
  readonly network: Network
  /** Transaction counts at the start, by lower-case address. */
  readonly nonces: Readonly<Record<string, number>>
  readonly tell: (line: string) => void
  /** As nodes do: bytes that are known are refused when they come again. */
  readonly refusesRepeats: boolean
  readonly pending: Map<string, FakePending>
  /** Every distinct txData ever sent per pending id, accepted or not. */
  readonly broadcasts: Map<string, string[]>
  /** What was accepted per pending id. More than one is a double payment. */
  readonly settled: Map<string, Settled[]>
  /** Which transaction used up a nonce or an output: `<chain>/<claim>` → its id. */
  readonly claims: Map<string, string>
  /** Claims of transactions that are in no block yet, and what these bid for it. */
  readonly unmined: Map<string, readonly bigint[]>
  isMining: boolean
  /** What was accepted beside payments, in its order. */
  readonly others: (Settled & { readonly txData: string })[]
}

/** The body of a refusal, protocol 1.7. */
export type Refusal = {
  readonly statusCode: number
  readonly errorCode: string
  readonly message: string
}

/** Ids look like the real ones, which are 24 hex digits. */
export function queue({ pending }: World, tx: QueuedTx): string {
  const { id = (pending.size + 1).toString(16).padStart(24, '0'), chain } = tx
  pending.set(id, { ...tx, id, chain })
  return id
}

/** What is not done yet and names one of these wallets. */
export function waiting(
  { pending, settled }: World,
  asked: string,
  wallets: readonly unknown[],
): readonly FakePending[] {
  const ids = new Set(wallets.map(walletIdOf))
  return [...pending.values()].filter(
    ({ id, chain, hashes, signatures }) =>
      chain === asked &&
      !settled.has(id) &&
      [hashes, signatures].flat().some(entry => ids.has(walletIdOf(entry))),
  )
}

/** An entry of `hashes` is the id itself, one of `signatures` names it. */
function walletIdOf(entry: unknown): string {
  const { id } = membersOf(entry)
  return String(id ?? entry).toLowerCase()
}

/** Takes signed bytes for a pending transaction, if they do what it asks. */
export async function settle(
  world: World,
  chainId: string,
  tx: FakePending,
  txData: string,
): Promise<Settled | Refusal> {
  const chain = fakeChains[chainId]
  if (chain === undefined || tx.chain !== chainId) {
    return { statusCode: 403, errorCode: 'kms.missing', message: 'it is for another chain' }
  }
  remember(world.broadcasts, tx.id, txData, known => known === txData)
  try {
    const settled = await chain.verify(txData, tx, world.network)
    claim(world, chainId, settled)
    const isRepeat = world.settled.get(tx.id)?.some(({ txId }) => txId === settled.txId)
    if (world.refusesRepeats && isRepeat) throw new Error('already known')
    remember(world.settled, tx.id, settled, known => known.txId === settled.txId)
    world.tell(`${chainId} payment ${tx.id} is on its way: ${describe(settled)}`)
    return settled
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : 'unreadable'
    world.tell(`${chainId} payment ${tx.id} is refused: ${message}`)
    return { statusCode: 403, errorCode: chain.errorCode, message }
  }
}

/** Takes signed bytes that are no payment of the API's. */
export async function settleAlone(
  world: World,
  chainId: string,
  txData: string,
): Promise<Settled | Refusal> {
  const chain = fakeChains[chainId]
  try {
    const settled = await chain?.verifyAlone?.(txData, world.network)
    if (settled === undefined) throw new Error('it is no payment')
    claim(world, chainId, settled)
    if (world.others.every(({ txId }) => txId !== settled.txId)) {
      world.others.push({ ...settled, txData })
    }
    return settled
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : 'unreadable'
    return { statusCode: 403, errorCode: chain?.errorCode ?? 'unknown', message }
  }
}

function remember<T>(
  lists: Map<string, T[]>,
  id: string,
  value: T,
  isSame: (known: T) => boolean,
): void {
  const list = lists.get(id) ?? []
  if (!list.some(isSame)) list.push(value)
  lists.set(id, list)
}

/**
 * As on a chain, the first transaction to use an output or a nonce has it for ever; before it is in a
 * block, one that bids an eighth more may take its place.
 */
function claim(world: World, chain: string, { txId, claims: wanted, bids = [] }: Settled): void {
  const { claims, nonces, unmined } = world
  for (const name of wanted) {
    const [kind, address = '', number] = name.split('/')
    const isSpent = kind === 'nonce' && Number(number) < (nonces[address] ?? 0)
    const isTaken = (claims.get(`${chain}/${name}`) ?? txId) !== txId
    const outbid = unmined
      .get(`${chain}/${name}`)
      ?.every((bid, i) => 8n * (bids[i] ?? 0n) >= 9n * bid)
    if (isSpent || (isTaken && outbid !== true)) throw new Error(`${name} is already used`)
  }
  for (const name of wanted) {
    claims.set(`${chain}/${name}`, txId)
    if (!world.isMining) unmined.set(`${chain}/${name}`, bids)
  }
}

function describe({ from, paid, txId }: Settled): string {
  const parts = paid.map(({ to, amount, asset }) => `${amount} base units of ${asset} to ${to}`)
  return `${from.join(', ')} pays ${parts.join(', ') || 'nobody'} (${txId})`
}

/** The number after the last one used without a gap. */
export function countNonces(
  { nonces, claims, unmined }: World,
  chain: string,
  address: string,
): number {
  const isMined = (name: string): boolean => claims.has(name) && !unmined.has(name)
  let count = nonces[address] ?? 0
  while (isMined(`${chain}/nonce/${address}/${count}`)) count++
  return count
}
