import { KmsError } from './errors.ts'
import { awaitInput, setCloseOnExec } from './native.ts'
import { callFailed, errno, libc } from './native-libc.ts'

/** Sockets in the file system: of systemd, and between the halves of a split daemon. Linux only. */

const AF_UNIX = 1
const SOCK_STREAM = 1
const SOCK_DGRAM = 2
const SOCK_CLOEXEC = 0x80000
const EINTR = 4
const EAGAIN = 11
const ECONNABORTED = 103

/**
 * A datagram socket that is connected to `path`, where a leading @ names an abstract one; undefined
 * where nobody listens. It outlives no exec unless `setCloseOnExec` lets it.
 */
export function connectDatagram(path: string): number | undefined {
  return connectTo(path, SOCK_DGRAM)
}

/** The same for a stream: both sides then have one end of it. Waits while the other side is busy. */
export function connectStream(path: string): number | undefined {
  return connectTo(path, SOCK_STREAM)
}

function connectTo(path: string, kind: number): number | undefined {
  const name = Buffer.from(path)
  // struct sockaddr_un: u16 family, then the path of at most 107 bytes and a zero.
  if (process.platform !== 'linux' || name.length < 2 || name.length > 107) return undefined
  if (name.includes(0)) return undefined
  const isAbstract = name[0] === 0x40
  const address = new Uint8Array(110)
  address[0] = AF_UNIX
  address.set(name, 2)
  if (isAbstract) address[2] = 0
  const fd = libc().socket(AF_UNIX, kind | SOCK_CLOEXEC, 0)
  if (fd < 0) return undefined
  if (libc().connect(fd, address, 2 + name.length + (isAbstract ? 0 : 1)) === 0) return fd
  libc().close(fd)
  return undefined
}

/** Sends one datagram on a connected socket, never waiting. Answers whether it was taken. */
export function sendDatagram(fd: number, text: string): boolean {
  const message = Buffer.from(text)
  // MSG_NOSIGNAL | MSG_DONTWAIT
  const sent = libc().sendto(fd, message, message.length, 0x4040, null, 0)
  return Number(sent) === message.length
}

/** Waits for the next connection to a listening socket. It outlives no exec, as above. */
export function acceptConnection(listener: number): number {
  for (;;) {
    // Comes back from a signal, too; one to end has ended the process: nothing handles it yet.
    if (!awaitInput(listener, longestWaitMs)) continue
    const fd = libc().accept(listener, null, null)
    if (fd >= 0) {
      setCloseOnExec(fd, true)
      return fd
    }
    const reason = errno()
    // Who came may be gone again.
    if (reason === EINTR || reason === EAGAIN || reason === ECONNABORTED) continue
    throw callFailed('unexpected', 'cannot accept a connection', reason)
  }
}

const longestWaitMs = 60_000

/** The user id of the process that connected, as the kernel noted it then (SO_PEERCRED, unix(7)). */
export function peerUser(fd: number): number {
  const credentials = new Uint32Array(3) // struct ucred { pid, uid, gid }
  const length = new Uint32Array([12])
  if (libc().getsockopt(fd, 1 /* SOL_SOCKET */, 17 /* SO_PEERCRED */, credentials, length) !== 0) {
    throw callFailed('unexpected', 'cannot see who connected')
  }
  const [, uid] = credentials
  if (length[0] === 12 && uid !== undefined) return uid
  throw new KmsError('unexpected', 'cannot see who connected')
}
