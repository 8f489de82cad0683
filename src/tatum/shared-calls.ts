/** @param name what is asked: the same name is the same question */
export type ShareCall<T> = (
  name: string,
  signal: AbortSignal | undefined,
  call: () => Promise<T>,
) => Promise<T>

/**
 * Makes a call, unless the same one is under way: then its answer serves both. Many payments ask a
 * node the same at the same time, for the price of gas or the newest block. A call with another
 * signal is another call: nobody's is given up because somebody else's is.
 */
export function shareCalls<T>(): ShareCall<T> {
  const underWay = new Map<string, Call<T>>()
  return (name, signal, call) => {
    const running = underWay.get(name)
    if (running !== undefined && running.signal === signal) return running.answer
    const answer = call().finally(() => {
      if (underWay.get(name) === made) underWay.delete(name)
    })
    const made: Call<T> = { signal, answer }
    underWay.set(name, made)
    return answer
  }
}

type Call<T> = { readonly signal: AbortSignal | undefined; readonly answer: Promise<T> }
