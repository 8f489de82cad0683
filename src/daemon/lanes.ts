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
}

export function createTurns(places: number): Turns {
  const waiting: (() => void)[] = []
  let free = places
  return {
    async take(work) {
      if (free > 0) free--
      else await new Promise<void>(resolve => waiting.push(resolve))
      try {
        return await work()
      } finally {
        const next = waiting.shift()
        if (next === undefined) free++
        else next()
      }
    },
  }
}
