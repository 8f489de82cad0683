import { KmsError } from '../../base/errors.ts'
import { encodeJson } from '../../base/json.ts'
import { openKeyRoom } from '../../secret/key-room.ts'
import { generateKeyText } from '../../secret/key-text.ts'
import { keyWallet, type WalletPlace } from '../../signer/wallets.ts'
import type { NewWallet } from '../../vault/draft.ts'
import type { WalletInfo } from '../../vault/records.ts'
import { startWriting } from '../../vault/vault.ts'
import type { Action } from '../action.ts'
import { chainArgument } from '../chain-argument.ts'
import type { Context } from '../context.ts'
import { startProgress } from '../progress.ts'

/**
 * `generatemanagedprivatekeybatch CHAIN COUNT`: fresh private keys, one line of JSON for each that
 * is stored. Stored in groups: what was printed is in the vault, however this ends.
 */
export const generateBatch: Action = async (context, [chainId, given]) => {
  const chain = chainArgument(chainId)
  const count = parseCount(given)
  using password = context.password()
  using progress = startProgress(context.terminal, `${chain.id} keys`, count)
  const interruption = watchForStop(context)
  await using room = openKeyRoom()
  const place = { chain, network: context.network, publicKeyOf: room.publicKey }
  const settings = { create: true, now: context.now(), cost: context.cost }
  using vault = startWriting(context.place, password, settings)
  for (let stored = 0; stored < count; ) {
    interruption.throwIfAsked(stored, count)
    progress.show(stored)
    using keys = new DisposableStack()
    const wallets = await makeKeys(place, Math.min(groupSize(count), count - stored), {
      keep: wallet => keys.use(wallet.secret),
      made: number => progress.show(stored + number),
      isStopped: interruption.isAsked,
    })
    interruption.throwIfAsked(stored, count)
    // The last key is made: what keys left behind is overwritten beside the writing.
    const emptied = stored + wallets.length === count ? room.empty() : undefined
    const infos = await vault.change(draft => wallets.map(draft.add))
    await emptied
    context.terminal.answer(infos.map(lineOf).join('\n'))
    stored += infos.length
  }
  return 0
}

/** How many keys are made at once: they lie in locked memory until their group is stored. */
const chunk = 250
const smallestGroup = 1_000

/** Every group costs one write of the whole vault: eight at most, so that it stays linear. */
function groupSize(count: number): number {
  return Math.max(smallestGroup, Math.ceil(count / 8))
}

type Making = {
  keep(wallet: NewWallet): void
  made(count: number): void
  isStopped(): boolean
}

/** One chunk's public keys are computed by the thread for keys while another's is written here. */
async function makeKeys(
  place: WalletPlace,
  count: number,
  { keep, made, isStopped }: Making,
): Promise<readonly NewWallet[]> {
  const wallets: NewWallet[] = []
  let begun = 0
  const begin = (): Promise<readonly NewWallet[]> => {
    const length = isStopped() ? 0 : Math.min(chunk, count - begun)
    begun += length
    return Promise.all(Array.from({ length }, () => makeKey(place, keep)))
  }
  for (let next = begin(); ; ) {
    const [ready, following] = [next, begin()]
    // A fault of one leaves nobody to hear of the other's.
    following.catch(() => {})
    const fresh = await ready
    if (fresh.length === 0) return wallets
    wallets.push(...fresh)
    made(wallets.length)
    next = following
  }
}

async function makeKey(place: WalletPlace, keep: Making['keep']): Promise<NewWallet> {
  const { chain, network, publicKeyOf } = place
  const keyText = await generateKeyText(chain.key, network, publicKeyOf)
  const wallet = await keyWallet(place, keyText)
  keep(wallet)
  return wallet
}

function lineOf({ id, address }: WalletInfo): string {
  return encodeJson({ signatureId: id, address: address ?? null })
}

function parseCount(given: string | undefined): number {
  const count = /^\d{1,6}$/.test(given ?? '') ? Number(given) : 0
  if (count >= 1 && count <= 100_000) return count
  throw new KmsError('usage', 'the count is a whole number from 1 to 100000')
}

/** Ctrl-C and SIGTERM end the work between two groups: whole keys only, and all of them told of. */
function watchForStop({ onStopSignal }: Pick<Context, 'onStopSignal'>) {
  let asked: 'SIGINT' | 'SIGTERM' | undefined
  onStopSignal(signal => {
    asked ??= signal
  })
  return {
    isAsked: () => asked !== undefined,
    throwIfAsked(stored: number, count: number) {
      if (asked === undefined) return
      const code = asked === 'SIGINT' ? 'interrupted' : 'terminated'
      throw new KmsError(code, `stopped: ${stored} of ${count} keys are stored, all printed above`)
    },
  }
}
