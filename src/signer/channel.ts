import { Socket } from 'node:net'
import type { Json } from '../base/json.ts'
import { createFrameReader, encodeFrame } from './wire.ts'

/** One end of the pipe between front and signer. */
export type Channel = {
  send(n: number, body: Json): void
  /** Bytes of frames that the other side has not taken yet. */
  unsent(): number
  /** Frames that have come are still delivered; what comes now waits with the other side. */
  pause(): void
  resume(): void
  /** Ends this side; the other one sees the end. */
  close(): void
}

export type ChannelEvents = {
  /** `length`: of the body, in bytes of the pipe. */
  onFrame(n: number, body: unknown, length: number): void
  /** The other side has taken all that was sent, after it had not. */
  onDrain?(): void
  /** The other side is gone, or sent what is not a frame. Called once. */
  onEnd(): void
}

/** Adopts an inherited, connected socket. */
export function openChannel(fd: number, { onFrame, onDrain, onEnd }: ChannelEvents): Channel {
  // `new Socket({ fd })` does not adopt in Bun; connecting to an open descriptor does.
  const socket = new Socket()
  const options: object = { fd }
  socket.connect(options as { port: number })
  let ended = false
  const end = (): void => {
    if (ended) return
    ended = true
    socket.destroy()
    onEnd()
  }
  const read = createFrameReader(onFrame)
  socket.on('data', chunk => {
    try {
      read(typeof chunk === 'string' ? Buffer.from(chunk) : chunk)
    } catch {
      end()
    }
  })
  if (onDrain !== undefined) socket.on('drain', onDrain)
  socket.on('error', end)
  socket.on('close', end)
  socket.on('end', end)
  return {
    send: (n, body) => {
      socket.write(encodeFrame(n, body))
    },
    unsent: () => socket.writableLength,
    pause: () => {
      socket.pause()
    },
    resume: () => {
      socket.resume()
    },
    close: () => {
      socket.end()
    },
  }
}
