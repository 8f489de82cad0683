import { KmsError } from '../../base/errors.ts'
import { encodeJson } from '../../base/json.ts'
import { openKeyRoom } from '../../secret/key-room.ts'
import type { WalletInfo } from '../../vault/records.ts'
import { startWriting } from '../../vault/vault.ts'
import type { Action } from '../action.ts'
import { chainArgument } from '../chain-argument.ts'
import type { Context } from '../context.ts'
import { makeKeyGroups } from '../key-groups.ts'
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
  progress.show(0)
  const interruption = watchForStop(context)
  await using room = openKeyRoom()
  const place = { chain, network: context.network, publicKeyOf: room.publicKey }
  const settings = { create: true, now: context.now(), cost: context.cost }
  using vault = startWriting(context.place, password, settings)
  let stored = 0
  let emptied: Promise<void> | undefined
  const making = { made: progress.show, isStopped: interruption.isAsked }
  for await (const group of makeKeyGroups(place, count, making)) {
    // The first keys are made beside scrypt; for the others the vault's lock does not wait.
    if (stored > 0) await group.wallets
    await messagesAreSent()
    const infos = await vault.change(async draft => {
      const wallets = await group.wallets
      interruption.throwIfAsked(stored, count)
      // The last key is made: what keys left behind is overwritten beside the writing.
      if (stored + wallets.length === count) emptied = room.empty()
      await messagesAreSent()
      return wallets.map(draft.add)
    })
    await emptied
    context.terminal.answer(infos.map(lineOf).join('\n'))
    stored += infos.length
  }
  return 0
}

/** What the thread for keys was asked is on its way before work here lets nothing else in. */
function messagesAreSent(): Promise<void> {
  return Bun.sleep(0)
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
