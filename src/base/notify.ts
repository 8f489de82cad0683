import { monotonicMicroseconds } from './native.ts'
import { sendDatagram } from './native-unix.ts'

/** What systemd is told (sd_notify(3)); says nothing where nobody listens. */
export type Notifier = {
  /** Answers whether it was heard. */
  ready(): boolean
  /** A line for people; the same one is told once. */
  status(text: string): void
  /** Until the next `ready`. */
  reloading(): void
  stopping(): void
  /** This process does what it is there for. */
  alive(): void
}

/** @param fd connected to systemd's socket before this process had keys; null where there is none */
export function createNotifier(fd: number | null): Notifier {
  let said = ''
  const send = (...lines: readonly string[]): boolean =>
    fd === null || sendDatagram(fd, lines.join('\n'))
  return {
    ready: () => send('READY=1'),
    status(text) {
      if (text === said) return
      said = text
      send(`STATUS=${text}`)
    },
    // Type=notify-reload waits for a READY=1 that comes after this time.
    reloading: () => void send('RELOADING=1', `MONOTONIC_USEC=${monotonicTime(fd)}`),
    stopping: () => void send('STOPPING=1'),
    alive: () => void send('WATCHDOG=1'),
  }
}

function monotonicTime(fd: number | null): bigint {
  return fd === null ? 0n : monotonicMicroseconds()
}
