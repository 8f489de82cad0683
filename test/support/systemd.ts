import { join } from 'node:path'

/** Plays systemd's side of sd_notify(3): a datagram socket, and what came over it. */
export type Systemd = AsyncDisposable & {
  /** For NOTIFY_SOCKET. */
  readonly socket: string
  /** All messages so far, each as its lines. */
  readonly heard: readonly (readonly string[])[]
  /** How often a message had this line. */
  count(line: string): number
}

/** Bun has no datagram sockets of this kind, so that another program listens. */
export async function playSystemd(
  folder: string,
  { isAbstract = false }: { readonly isAbstract?: boolean } = {},
): Promise<Systemd> {
  const socket = isAbstract ? `@kms-systemd-${process.pid}-${Date.now()}` : join(folder, 'notify')
  const listener = Bun.spawn(['python3', '-c', listen, socket], { stdout: 'pipe' })
  const heard: string[][] = []
  const { promise: isReady, resolve } = Promise.withResolvers<void>()
  const reading = (async () => {
    let text = ''
    for await (const chunk of listener.stdout) {
      text += Buffer.from(chunk).toString('utf8')
      const lines = text.split('\n')
      text = lines.pop() ?? ''
      for (const line of lines) {
        if (line === 'ready') resolve()
        else heard.push(JSON.parse(line).split('\n'))
      }
    }
  })()
  await isReady
  return {
    socket,
    heard,
    count: line => heard.filter(message => message.includes(line)).length,
    async [Symbol.asyncDispose]() {
      listener.kill()
      await reading
    },
  }
}

const listen = `
import json, socket, sys
name = sys.argv[1]
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind('\\0' + name[1:] if name[0] == '@' else name)
print('ready', flush=True)
while True:
    print(json.dumps(listener.recv(4096).decode()), flush=True)
`
