import { KmsError } from '../base/errors.ts'
import type { Curve, PublicKey, Signature, SigningRequest } from '../base/model.ts'
import { isCompiled } from '../base/program.ts'
import type { KeyResult, KeyTask } from './key-worker.ts'
import { overwriteFreedMemory } from './residue.ts'
import type { Secret } from './secret.ts'

/**
 * Where private keys are used: a thread of its own, started when there is work and ended when there
 * is none, so that the copies noble makes do not stay behind.
 */
export type KeyRoom = AsyncDisposable & {
  /**
   * Answers in the order of the tasks; null where a key could not be used. The keys must stay open
   * until then.
   */
  signAll(tasks: readonly SignTask[]): Promise<readonly (Signature | null)[]>
  publicKey(curve: Curve, key: Secret, compressed?: boolean): Promise<PublicKey>
  /** Ends the thread; done when what keys left behind in it is overwritten. */
  empty(): Promise<void>
}

export type SignTask = { readonly key: Secret; readonly request: SigningRequest }

/** A thread is ended when nothing came for this long, or when it has used keys this often. */
const idleMs = 500
const usesPerThread = 512

/** A batch takes milliseconds; a thread that has not answered by then never will. */
const answerWithinMs = 60_000

/**
 * The room is empty until the first task.
 *
 * @param settings for tests: another program for the thread, less patience with it
 */
export function openKeyRoom(settings: Partial<ThreadSettings> = {}): KeyRoom {
  let thread: Thread | undefined
  let idle: Timer | undefined
  let queue: Promise<unknown> = Promise.resolve()
  let waiting: Asked[] = []

  const close = async (): Promise<void> => {
    clearTimeout(idle)
    const ending = thread?.end()
    thread = undefined
    await ending
  }

  const run = async (tasks: readonly KeyTask[]): Promise<readonly KeyResult[]> => {
    if (tasks.length === 0) return []
    clearTimeout(idle)
    thread ??= startThread({ program: workerPath(), answerWithinMs, ...settings })
    try {
      return await thread.perform(tasks)
    } catch (fault) {
      thread.abandon()
      thread = undefined
      throw fault
    } finally {
      if (thread !== undefined && thread.uses() >= usesPerThread) close()
      idle = setTimeout(close, idleMs)
      idle.unref()
    }
  }

  /** All that is waiting, up to what one thread may do, goes to the thread as one message. */
  const runWaiting = async (): Promise<void> => {
    const batch = takeBatch(waiting)
    waiting = waiting.slice(batch.length)
    try {
      const results = await run(batch.flatMap(({ tasks }) => tasks))
      let at = 0
      for (const { tasks, resolve } of batch) {
        resolve(results.slice(at, at + tasks.length))
        at += tasks.length
      }
    } catch (fault) {
      for (const { reject } of batch) reject(fault)
    }
  }

  /** One batch after the other: a thread is never ended under somebody's work. */
  const enqueue = (tasks: readonly KeyTask[]): Promise<readonly KeyResult[]> => {
    const { promise, resolve, reject } = Promise.withResolvers<readonly KeyResult[]>()
    waiting.push({ tasks, resolve, reject })
    queue = queue.then(runWaiting)
    return promise
  }

  return {
    async signAll(tasks) {
      const signatures: (Signature | null)[] = []
      for (let at = 0; at < tasks.length; at += usesPerThread) {
        const piece = tasks.slice(at, at + usesPerThread)
        const results = await enqueue(
          piece.map(({ key, request }) => ({ kind: 'sign', address: key.address, request })),
        )
        signatures.push(...(results as readonly (Signature | null)[]))
      }
      return signatures
    },
    async publicKey(curve, key, compressed = true) {
      const [result] = await enqueue([
        { kind: 'publicKey', address: key.address, curve, compressed },
      ])
      if (!result) throw new KmsError('unexpected', 'a key could not be used')
      return result as PublicKey
    },
    async empty() {
      await queue
      await close()
    },
    async [Symbol.asyncDispose]() {
      await queue
      clearTimeout(idle)
      // Whoever closes the room is about to end the process, which takes all memory along.
      thread?.abandon()
      thread = undefined
    },
  }
}

/** Tasks that are waiting for the thread, and who waits for their results. */
type Asked = {
  readonly tasks: readonly KeyTask[]
  readonly resolve: (results: readonly KeyResult[]) => void
  readonly reject: (fault: unknown) => void
}

/** The first of `waiting`, as many as make one message; at least one, if there is any. */
function takeBatch(waiting: readonly Asked[]): readonly Asked[] {
  let tasks = 0
  const end = waiting.findIndex((asked, i) => {
    tasks += asked.tasks.length
    return i > 0 && tasks > usesPerThread
  })
  return end === -1 ? waiting : waiting.slice(0, end)
}

/**
 * What a thread freed comes back to all of them with a delay: the allocator's own threads hold on to
 * it for a while.
 */
function overwriteNowAndLater(): void {
  overwriteFreedMemory()
  for (const afterMs of [700, 1_400]) setTimeout(overwriteFreedMemory, afterMs).unref()
}

type Timer = ReturnType<typeof setTimeout>

type Thread = {
  perform(tasks: readonly KeyTask[]): Promise<readonly KeyResult[]>
  uses(): number
  /** Ends it when it has overwritten what keys left behind in it. */
  end(): Promise<void>
  abandon(): void
}

type ThreadSettings = { readonly program: string; readonly answerWithinMs: number }

function startThread({ program, answerWithinMs }: ThreadSettings): Thread {
  const worker = new Worker(program)
  const failed = (what: string) => new KmsError('unexpected', `the thread for keys ${what}`)
  let hasEnded = false
  worker.addEventListener('close', () => {
    hasEnded = true
  })
  let uses = 0
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
  const abandon = (): void => worker.terminate()
  return {
    perform,
    uses: () => uses,
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

/** The worker is an entry point of its own: in a compiled program it has this place. */
function workerPath(): string {
  if (isCompiled()) return `${Bun.main.slice(0, Bun.main.lastIndexOf('/'))}/secret/key-worker.js`
  return new URL('./key-worker.ts', import.meta.url).href
}
