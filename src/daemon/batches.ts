import { KmsError } from '../base/errors.ts'

type BatchLimits<T> = {
  readonly maxItems: number
  /** What it throws is thrown to the item alone: it never joins a batch. */
  readonly weigh?: (item: T) => number
  /** A batch is closed before its items weigh more; one item alone may. */
  readonly maxWeight?: number
  /**
   * How long an item waits for company: work that blocks leaves nobody time to join the next batch.
   * One that waits for less than the others takes them along.
   */
  readonly gatherMs?: (item: T) => number
}

/**
 * Group commit: what is asked for while one batch is under way makes up the next, so that a round
 * trip or a write to disk is paid for once and not per item.
 *
 * @param work answers in the order of the items; what it throws is thrown to all of them
 */
export function inBatches<T, R>(
  work: (items: readonly T[]) => Promise<readonly R[]>,
  { maxItems, weigh = () => 0, maxWeight = 0, gatherMs = () => 0 }: BatchLimits<T>,
): (item: T) => Promise<R> {
  const waiting: Waiting<T, R>[] = []
  let isWorking = false
  let gathering: Gathering | undefined

  const workOff = async (): Promise<void> => {
    isWorking = true
    while (waiting.length > 0) {
      const patience = Math.min(...waiting.map(({ item }) => gatherMs(item)))
      if (patience > 0 && waiting.length < maxItems) {
        gathering = startGathering(patience)
        await gathering.over
        gathering = undefined
      }
      await settle(work, takeBatch(waiting, maxItems, maxWeight))
    }
    isWorking = false
  }
  return async item => {
    const weight = weigh(item)
    const answer = Promise.withResolvers<R>()
    waiting.push({ item, weight, ...answer })
    gathering?.hurry(waiting.length < maxItems ? gatherMs(item) : 0)
    if (!isWorking) void workOff()
    return answer.promise
  }
}

type Waiting<T, R> = PromiseWithResolvers<R> & { readonly item: T; readonly weight: number }

type Gathering = {
  readonly over: Promise<void>
  /** Ends within so many milliseconds from now, unless it ends sooner. */
  hurry(ms: number): void
}

function startGathering(ms: number): Gathering {
  const { promise, resolve } = Promise.withResolvers<void>()
  let patience = ms
  let timer = setTimeout(resolve, ms)
  return {
    over: promise,
    hurry(within) {
      if (within >= patience) return
      patience = within
      clearTimeout(timer)
      timer = setTimeout(resolve, within)
    },
  }
}

function takeBatch<T, R>(
  waiting: Waiting<T, R>[],
  maxItems: number,
  maxWeight: number,
): readonly Waiting<T, R>[] {
  let count = 0
  let sum = 0
  for (const { weight } of waiting.slice(0, maxItems)) {
    sum += weight
    if (count > 0 && sum > maxWeight) break
    count++
  }
  return waiting.splice(0, count)
}

async function settle<T, R>(
  work: (items: readonly T[]) => Promise<readonly R[]>,
  batch: readonly Waiting<T, R>[],
): Promise<void> {
  try {
    const answers = await work(batch.map(({ item }) => item))
    if (answers.length !== batch.length) {
      throw new KmsError('unexpected', 'a batch was not answered item by item')
    }
    answers.forEach((answer, i) => {
      batch[i]?.resolve(answer)
    })
  } catch (fault) {
    for (const { reject } of batch) reject(fault)
  }
}
