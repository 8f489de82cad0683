import { Socket } from 'node:net'
import type { Json } from '../base/json.ts'
import { createFrameReader, encodeFrame } from './wire.ts'

/** One end of the pipe between front and signer. */
export type Channel = {
  send(n: number, body: Json): void
  /** Ends this side; the other one sees the end. */
  close(): void
}

export type ChannelEvents = {
  onFrame(n: number, body: unknown): void
  /** The other side is gone, or sent what is not a frame. Called once. */
  onEnd(): void
}

/** Adopts an inherited, connected socket. */
export function openChannel(fd: number, { onFrame, onEnd }: ChannelEvents): Channel {
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
  socket.on('error', end)
  socket.on('close', end)
  socket.on('end', end)
  return {
    send: (n, body) => {
      socket.write(encodeFrame(n, body))
    },
    close: () => {
      socket.end()
    },
  }
}
