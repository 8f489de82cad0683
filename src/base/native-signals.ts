import { KmsError } from './errors.ts'
import { libc } from './native-libc.ts'

/** Tells of a signal to end while the event loop, which would tell otherwise, stands still. */
export type SignalWatch = Disposable & {
  /** The signal that came since the watch began. */
  caught(): 'SIGINT' | 'SIGTERM' | undefined
}

const onMac = process.platform === 'darwin'

/** A terminal that hung up ends the program as SIGTERM does. */
const watched = [
  { number: 2, name: 'SIGINT' },
  { number: 15, name: 'SIGTERM' },
  { number: 1, name: 'SIGTERM' },
] as const

/** Where SIGINT, SIGTERM and SIGHUP are noted instead of obeyed, until disposed of. */
export function watchSignals(): SignalWatch {
  if (process.platform === 'win32') return { caught: () => undefined, [Symbol.dispose]() {} }
  const before = watched
    .map(signal => ({ ...signal, action: actionOf(signal.number) }))
    // Ignored, by nohup(1) for one: that is to stay so.
    .filter(({ action }) => handlerOf(action) !== SIG_IGN)
  for (const { number } of before) libc().sigaction(number, oneShot(), null)
  return {
    caught: () => before.find(({ number }) => handlerOf(actionOf(number)) === SIG_DFL)?.name,
    [Symbol.dispose]() {
      for (const { number, action } of before) libc().sigaction(number, action, null)
    },
  }
}

const SIG_DFL = 0n
const SIG_IGN = 1n

/** struct sigaction of glibc, musl and macOS: its length, where sa_flags stands, SA_RESETHAND. */
const layout = onMac
  ? { length: 16, flags: 12, resetHandler: 4 }
  : { length: 152, flags: 136, resetHandler: 0x80000000 }

/**
 * A handler that does nothing and is gone once it ran: the system itself then notes the signal, by
 * the default action standing in the handler's place. No code of ours runs in signal context.
 */
function oneShot(): Uint8Array {
  const action = new Uint8Array(layout.length)
  const fields = new DataView(action.buffer)
  fields.setBigUint64(0, BigInt(addressOf(libc().getpid)), true)
  fields.setUint32(layout.flags, layout.resetHandler, true)
  return action
}

/** Bun has it on every native function; its types do not say so. */
function addressOf(native: object): number {
  const address: unknown = Reflect.get(native, 'ptr')
  if (typeof address === 'number') return address
  throw new KmsError('unexpected', 'a native function has no address')
}

function actionOf(number: number): Uint8Array {
  const action = new Uint8Array(layout.length)
  libc().sigaction(number, null, action)
  return action
}

function handlerOf(action: Uint8Array): bigint {
  return new DataView(action.buffer).getBigUint64(0, true)
}
