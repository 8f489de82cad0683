/** A daemon that runs for years sees more names than it is to remember. */
const most = 20_000

/**
 * `work`, done once for each name: for what follows from public names alone and is asked for again
 * and again. Undefined, which is said of what others made up, is not remembered.
 */
export function remembered<T>(work: (name: string) => T): (name: string) => T {
  const known = new Map<string, T>()
  return name => {
    const found = known.get(name)
    if (found !== undefined) return found
    const made = work(name)
    if (made === undefined) return made
    if (known.size >= most) known.clear()
    known.set(name, made)
    return made
  }
}

/** As `remembered`, by an object and for as long as there is it: for what follows from it alone. */
export function rememberedOf<K extends WeakKey, T>(): (of: K, work: () => T) => T {
  const known = new WeakMap<K, T>()
  return (of, work) => {
    const found = known.get(of)
    if (found !== undefined) return found
    const made = work()
    known.set(of, made)
    return made
  }
}
