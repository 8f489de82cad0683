import { KmsError } from '../base/errors.ts'
import type { Curve, PublicKey, Signature, SigningRequest } from '../base/model.ts'
import { type KeyThread, startThread, type ThreadSettings } from './key-thread.ts'
import type { KeyResult, KeyTask } from './key-worker.ts'
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

/** A thread that has met keys is ended when nothing came for this long, or when it is worn out. */
const idleMs = 500
/** One that has not met any holds nothing but memory. */
const unusedMs = 60_000
/** As many as keep a thread busy for a moment, so that whoever comes next need not wait long. */
const tasksPerMessage = 512
/** While its last answer is read here the thread has its next message. */
const messagesAtOnce = 2

type RoomSettings = Partial<ThreadSettings> & {
  /** A thread to begin with, which the room ends. */
  readonly first?: KeyThread
}

/**
 * The room is empty until the first task.
 *
 * @param settings for tests: another program for the thread, less patience with it
 */
export function openKeyRoom(settings: RoomSettings = {}): KeyRoom {
  const keeper = keepThread(settings)
  const batches = createBatches(keeper.perform)
  return {
    async signAll(tasks) {
      const pieces: Promise<readonly KeyResult[]>[] = []
      for (let at = 0; at < tasks.length; at += tasksPerMessage) {
        const piece = tasks.slice(at, at + tasksPerMessage)
        pieces.push(
          batches.ask(
            piece.map(({ key, request }) => ({ kind: 'sign', address: key.address, request })),
          ),
        )
      }
      return (await Promise.all(pieces)).flat() as readonly (Signature | null)[]
    },
    async publicKey(curve, key, compressed = true) {
      const [result] = await batches.ask([
        { kind: 'publicKey', address: key.address, curve, compressed },
      ])
      if (!result) throw new KmsError('unexpected', 'a key could not be used')
      return result as PublicKey
    },
    async empty() {
      await batches.done()
      await keeper.end()
    },
    async [Symbol.asyncDispose]() {
      await batches.done()
      // Whoever closes the room is about to end the process, which takes all memory along.
      keeper.abandon()
    },
  }
}

type Perform = (tasks: readonly KeyTask[]) => Promise<readonly KeyResult[]>

/** A thread while there is work, none while there is none. */
function keepThread({ first, ...settings }: RoomSettings) {
  let thread = first
  let underWay = 0
  let idle: ReturnType<typeof setTimeout> | undefined

  const abandon = (): void => {
    clearTimeout(idle)
    thread?.abandon()
    thread = undefined
  }
  const end = async (): Promise<void> => {
    if (!thread?.hasMetKeys()) return abandon()
    clearTimeout(idle)
    const ending = thread.end()
    thread = undefined
    await ending
  }
  const endLater = (): void => {
    if (underWay > 0 || thread === undefined) return
    idle = setTimeout(end, thread.hasMetKeys() ? idleMs : unusedMs)
    idle.unref()
  }
  const perform: Perform = async tasks => {
    if (tasks.length === 0) return []
    clearTimeout(idle)
    thread ??= startThread(settings)
    const performing = thread
    underWay++
    try {
      return await performing.perform(tasks)
    } catch (fault) {
      if (thread === performing) abandon()
      throw fault
    } finally {
      underWay--
      if (thread === performing && performing.isWornOut()) void end()
      endLater()
    }
  }
  endLater()
  return { perform, end, abandon }
}

/** All that is waiting, up to what one message holds, is one batch; a few of them are under way. */
function createBatches(perform: Perform) {
  const waiting: Asked[] = []
  const underWay = new Set<Promise<void>>()

  const run = async (batch: readonly Asked[]): Promise<void> => {
    try {
      const results = await perform(batch.flatMap(({ tasks }) => tasks))
      let at = 0
      for (const { tasks, resolve } of batch) {
        resolve(results.slice(at, at + tasks.length))
        at += tasks.length
      }
    } catch (fault) {
      for (const { reject } of batch) reject(fault)
    }
  }
  const begin = (): void => {
    while (waiting.length > 0 && underWay.size < messagesAtOnce) {
      const batch = takeBatch(waiting)
      const running = run(batch).then(() => {
        underWay.delete(running)
        begin()
      })
      underWay.add(running)
    }
  }
  return {
    ask(tasks: readonly KeyTask[]): Promise<readonly KeyResult[]> {
      const { promise, resolve, reject } = Promise.withResolvers<readonly KeyResult[]>()
      waiting.push({ tasks, resolve, reject })
      // Not at once: what is asked for in one go shares a message.
      queueMicrotask(begin)
      return promise
    },
    async done(): Promise<void> {
      begin()
      while (underWay.size > 0) await Promise.all(underWay)
    },
  }
}

/** Tasks that are waiting for the thread, and who waits for their results. */
type Asked = {
  readonly tasks: readonly KeyTask[]
  readonly resolve: (results: readonly KeyResult[]) => void
  readonly reject: (fault: unknown) => void
}

/** Takes the first of `waiting`, as many as make one message; at least one, if there is any. */
function takeBatch(waiting: Asked[]): readonly Asked[] {
  let tasks = 0
  const end = waiting.findIndex((asked, i) => {
    tasks += asked.tasks.length
    return i > 0 && tasks > tasksPerMessage
  })
  return waiting.splice(0, end === -1 ? waiting.length : end)
}
