import { KmsError } from '../base/errors.ts'
import { isCompiled } from '../base/program.ts'
import type { KeyResult, KeyTask } from './key-worker.ts'
import { overwriteFreedMemory } from './residue.ts'

/** A batch takes milliseconds; a thread that has not answered by then never will. */
const usualPatienceMs = 60_000
/**
 * Copies of keys are freed with every use, and overwritten at the end only, which takes as long as
 * thousands of uses. A thread that is busy without a pause ends after so many, or after a minute.
 */
const usualUses = 8_192
const longestLifeMs = 60_000

/** The thread in which noble meets private keys; see key-worker.ts. */
export type KeyThread = {
  perform(tasks: readonly KeyTask[]): Promise<readonly KeyResult[]>
  /** It has used keys for long enough and is to be ended, others following it. */
  isWornOut(): boolean
  /** Ends it when it has overwritten what keys left behind in it. */
  end(): Promise<void>
  abandon(): void
}

export type ThreadSettings = {
  readonly program: string
  readonly answerWithinMs: number
  readonly mostUses: number
}

export function startThread(settings: Partial<ThreadSettings> = {}): KeyThread {
  const {
    program = workerPath(),
    answerWithinMs = usualPatienceMs,
    mostUses = usualUses,
  } = settings
  const worker = new Worker(program)
  const failed = (what: string) => new KmsError('unexpected', `the thread for keys ${what}`)
  let hasEnded = false
  worker.addEventListener('close', () => {
    hasEnded = true
  })
  let uses = 0
  const aging = setTimeout(() => {
    uses = mostUses
  }, longestLifeMs)
  aging.unref()
  const perform = (tasks: readonly KeyTask[]): Promise<readonly KeyResult[]> => {
    const { promise, resolve, reject } = Promise.withResolvers<readonly KeyResult[]>()
    worker.onmessage = ({ data }: MessageEvent<readonly KeyResult[]>) => resolve(data)
    // What went wrong in there may have a key in its text: it is not passed on.
    worker.onerror = () => reject(failed('has failed'))
    const onClose = () => reject(failed('has ended'))
    worker.addEventListener('close', onClose)
    const late = setTimeout(() => reject(failed('does not answer')), answerWithinMs)
    if (hasEnded) onClose()
    uses += tasks.length
    worker.postMessage(tasks)
    return promise.finally(() => {
      clearTimeout(late)
      worker.removeEventListener('close', onClose)
    })
  }
  const abandon = (): void => {
    clearTimeout(aging)
    worker.terminate()
  }
  return {
    perform,
    isWornOut: () => uses >= mostUses,
    async end() {
      try {
        // No tasks: that is the sign to overwrite.
        await perform([])
      } catch {
        // A thread that has failed has nothing more to give back.
      } finally {
        abandon()
        overwriteNowAndLater()
      }
    },
    abandon,
  }
}

/**
 * What a thread freed comes back to all of them with a delay: the allocator's own threads hold on to
 * it for a while.
 */
function overwriteNowAndLater(): void {
  overwriteFreedMemory()
  for (const afterMs of [700, 1_400]) setTimeout(overwriteFreedMemory, afterMs).unref()
}

/** The worker is an entry point of its own: in a compiled program it has this place. */
function workerPath(): string {
  if (isCompiled()) return `${Bun.main.slice(0, Bun.main.lastIndexOf('/'))}/secret/key-worker.js`
  return new URL('./key-worker.ts', import.meta.url).href
}
