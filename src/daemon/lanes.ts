/** Works of one lane follow each other; those of different lanes do not wait for each other. */
export type Lanes = {
  /** Does `work` once all that entered the lane before has ended, however it ended. */
  enter<T>(lane: string, work: () => Promise<T>): Promise<T>
}

export function createLanes(): Lanes {
  const tails = new Map<string, Promise<void>>()
  return {
    enter(lane, work) {
      const done = (tails.get(lane) ?? Promise.resolve()).then(work)
      const ended = done.then(
        () => {},
        () => {},
      )
      tails.set(lane, ended)
      void ended.then(() => {
        if (tails.get(lane) === ended) tails.delete(lane)
      })
      return done
    },
  }
}

/** A number of works at a time, first come, first served. One that hangs keeps one place. */
export type Turns = {
  take<T>(work: () => Promise<T>): Promise<T>
  /** For a work that ends elsewhere, with `leave`. */
  enter(): Promise<void>
  leave(): void
}

export function createTurns(places: number): Turns {
  const waiting: (() => void)[] = []
  let free = places
  const enter = async (): Promise<void> => {
    if (free > 0) free--
    else await new Promise<void>(resolve => waiting.push(resolve))
  }
  const leave = (): void => {
    const next = waiting.shift()
    if (next === undefined) free++
    else next()
  }
  return {
    enter,
    leave,
    async take(work) {
      await enter()
      try {
        return await work()
      } finally {
        leave()
      }
    },
  }
}
