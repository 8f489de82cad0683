import { generateKeyText } from '../secret/key-text.ts'
import { keyWallet, type WalletPlace } from '../signer/wallets.ts'
import type { NewWallet } from '../vault/draft.ts'

/** Fresh keys that are stored at once: they lie in locked memory until its end, which wipes them. */
type KeyGroup = AsyncDisposable & {
  readonly length: number
  /** Fewer when the making was stopped. */
  readonly wallets: Promise<readonly NewWallet[]>
}

type Progress = {
  made(count: number): void
  isStopped(): boolean
}

/** As many as go to the thread for keys in one message: it works on one while another is read here. */
const chunk = 512
/** The first keys are made while scrypt opens the vault, and take about as long. */
const firstGroup = 2 * chunk
/** Every group costs one write of the whole vault: nine at most, so that it stays linear. */
const otherGroups = 8

/**
 * Makes `count` keys in groups, one group ahead of whoever stores them. A group's keys are wiped when
 * the next one is asked for, all of them however this ends.
 */
export async function* makeKeyGroups(
  place: WalletPlace,
  count: number,
  progress: Progress,
): AsyncGenerator<Pick<KeyGroup, 'wallets'>> {
  const usual = Math.max(firstGroup, Math.ceil((count - firstGroup) / otherGroups))
  let begun = 0
  let made = 0
  const begin = (length: number): KeyGroup => {
    const group = makeGroup(place, Math.min(length, count - begun), {
      ...progress,
      made(more) {
        made += more
        progress.made(made)
      },
    })
    begun += group.length
    return group
  }
  let next = begin(firstGroup)
  try {
    while (next.length > 0) {
      await using group = next
      next = begin(usual)
      yield group
    }
  } finally {
    await next[Symbol.asyncDispose]()
  }
}

function makeGroup(place: WalletPlace, length: number, { made, isStopped }: Progress): KeyGroup {
  const keys: Promise<NewWallet>[] = []
  let hasEnded = false
  const begin = (): Promise<readonly NewWallet[]> => {
    const more = hasEnded || isStopped() ? 0 : Math.min(chunk, length - keys.length)
    const fresh = Array.from({ length: more }, () => makeKey(place))
    keys.push(...fresh)
    return Promise.all(fresh)
  }
  const make = async (): Promise<readonly NewWallet[]> => {
    const wallets: NewWallet[] = []
    for (let next = begin(); ; ) {
      const [ready, following] = [next, begin()]
      // A fault of one leaves nobody to hear of the other's.
      following.catch(() => {})
      const fresh = await ready
      if (fresh.length === 0) return wallets
      wallets.push(...fresh)
      made(fresh.length)
      next = following
    }
  }
  const wallets = make()
  // Heard by whoever waits for them, if somebody does.
  wallets.catch(() => {})
  return {
    length,
    wallets,
    async [Symbol.asyncDispose]() {
      hasEnded = true
      await Promise.allSettled([wallets])
      for (const key of await Promise.allSettled(keys)) {
        if (key.status === 'fulfilled') key.value.secret[Symbol.dispose]()
      }
    },
  }
}

async function makeKey(place: WalletPlace): Promise<NewWallet> {
  const { chain, network, publicKeyOf } = place
  return await keyWallet(place, await generateKeyText(chain.key, network, publicKeyOf))
}
