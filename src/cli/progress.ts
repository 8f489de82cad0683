import type { Terminal } from './terminal.ts'

/** How far long work has come, for a person who waits; gone from the terminal when disposed of. */
export type Progress = Disposable & {
  /** `done` of the total are done. */
  show(done: number): void
}

const width = 30

export function startProgress(
  { progress }: Pick<Terminal, 'progress'>,
  what: string,
  total: number,
): Progress {
  let shown = ''
  return {
    show(done) {
      const part = total === 0 ? 1 : Math.min(1, done / total)
      const filled = Math.floor(part * width)
      const bar = '█'.repeat(filled) + '░'.repeat(width - filled)
      const line = `${what} ${bar} ${Math.floor(part * 100)}% (${done} of ${total})`
      if (line === shown) return
      shown = line
      progress(line)
    },
    [Symbol.dispose]() {
      if (shown !== '') progress('')
    },
  }
}
