import { KmsError } from '../base/errors.ts'
import { isCompiled } from '../base/program.ts'
import type { KeyMessage, KeyResult, KeyTask } from './key-worker.ts'
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
  /** Answers in the order in which it was asked, which may be ahead of its answers. */
  perform(tasks: readonly KeyTask[]): Promise<readonly KeyResult[]>
  hasMetKeys(): boolean
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
  const ask = askInOrder(worker, answerWithinMs)
  let uses = 0
  const aging = setTimeout(() => {
    uses = mostUses
  }, longestLifeMs)
  aging.unref()
  const abandon = (): void => {
    clearTimeout(aging)
    worker.terminate()
  }
  return {
    perform(tasks) {
      uses += tasks.length
      return ask({ kind: 'perform', tasks })
    },
    hasMetKeys: () => uses > 0,
    isWornOut: () => uses >= mostUses,
    async end() {
      try {
        await ask({ kind: 'overwrite' })
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

/** Pairs what the thread answers with what it was asked: it does one after the other. */
function askInOrder(worker: Worker, answerWithinMs: number) {
  type Answer = readonly KeyResult[]
  const asked: PromiseWithResolvers<Answer>[] = []
  let end: KmsError | undefined
  const failed = (what: string) => new KmsError('unexpected', `the thread for keys ${what}`)
  const fail = (what: string): void => {
    end ??= failed(what)
    for (const { reject } of asked.splice(0)) reject(end)
  }
  worker.onmessage = ({ data }: MessageEvent<Answer>) => asked.shift()?.resolve(data)
  // What went wrong in there may have a key in its text: it is not passed on.
  worker.onerror = () => fail('has failed')
  worker.addEventListener('close', () => fail('has ended'))
  return async (message: KeyMessage): Promise<Answer> => {
    if (end !== undefined) throw end
    const answer = Promise.withResolvers<Answer>()
    const late = setTimeout(() => answer.reject(failed('does not answer')), answerWithinMs)
    asked.push(answer)
    worker.postMessage(message)
    try {
      return await answer.promise
    } finally {
      clearTimeout(late)
    }
  }
}

let later: readonly ReturnType<typeof setTimeout>[] = []

/**
 * What a thread freed comes back to all of them with a delay: the allocator's own threads hold on to
 * it for a while. When another one ends meanwhile, what is done after that one serves both.
 */
function overwriteNowAndLater(): void {
  for (const timer of later) clearTimeout(timer)
  overwriteFreedMemory()
  later = [700, 1_400].map(afterMs => setTimeout(overwriteFreedMemory, afterMs).unref())
}

/** The worker is an entry point of its own: in a compiled program it has this place. */
function workerPath(): string {
  if (isCompiled()) return `${Bun.main.slice(0, Bun.main.lastIndexOf('/'))}/secret/key-worker.js`
  return new URL('./key-worker.ts', import.meta.url).href
}
