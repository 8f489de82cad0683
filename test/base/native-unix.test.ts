import { afterAll, describe, expect, test } from 'bun:test'
import { closeSync, mkdtempSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { takeMemoryFile, writeMemoryFile } from '../../src/base/memory-file.ts'
import { writeOut } from '../../src/base/native.ts'
import { callKernel, libc } from '../../src/base/native-libc.ts'
import {
  acceptConnection,
  connectDatagram,
  connectStream,
  peerUser,
  sendDatagram,
} from '../../src/base/native-unix.ts'
import { syscallNumbers } from '../../src/base/syscall-numbers.ts'
import { asOtherUser, canChangeUser, otherUser } from '../support/confinement.ts'

const folder = mkdtempSync(join(tmpdir(), 'kms-unix-'))
afterAll(() => rmSync(folder, { recursive: true }))

const notThere = [join(folder, 'nobody'), '', '@', 'x'.repeat(200), 'a\0b']

describe.skipIf(process.platform !== 'linux')('a socket in the file system', () => {
  test('tells systemd, by path and by abstract name', async () => {
    for (const name of [join(folder, 'notify'), `@kms-notify-${process.pid}`]) {
      const listener = Bun.spawn(['python3', '-c', listenOnce, name], { stdout: 'pipe' })
      const reader = listener.stdout.getReader()
      await reader.read()
      const fd = connectDatagram(name)
      expect(sendDatagram(fd ?? -1, 'READY=1\nSTATUS=on')).toBe(true)
      expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe('READY=1\nSTATUS=on')
      await listener.exited
      expect(sendDatagram(fd ?? -1, 'READY=1')).toBe(false)
      closeSync(fd ?? -1)
    }
  })

  test('carries a stream both ways, and shows who connected', () => {
    const path = join(folder, 'stream')
    const listener = listenAt(path)
    const ours = connectStream(path) ?? -1
    const theirs = acceptConnection(listener)
    expect(peerUser(theirs)).toBe(process.getuid?.() ?? -1)
    writeOut(ours, Buffer.from('question'))
    expect(readText(theirs)).toBe('question')
    writeOut(theirs, Buffer.from('answer'))
    expect(readText(ours)).toBe('answer')
    for (const fd of [ours, theirs, listener]) closeSync(fd)
  })

  test.skipIf(!canChangeUser)('shows another user as another user', async () => {
    const path = `@kms-stream-${process.pid}`
    const listener = listenAt(path)
    // Not the PATH of root, which may lead to where nobody else may go.
    const client = Bun.spawn([...asOtherUser, 'python3', '-c', connectOnce, path], {
      env: { PATH: '/usr/bin:/bin' },
    })
    const theirs = acceptConnection(listener)
    expect(peerUser(theirs)).toBe(otherUser)
    for (const fd of [theirs, listener]) closeSync(fd)
    expect(await client.exited).toBe(0)
  })

  test('is not connected to where nobody listens', () => {
    for (const name of notThere) {
      expect(connectDatagram(name)).toBeUndefined()
      expect(connectStream(name)).toBeUndefined()
    }
    expect(() => peerUser(0)).toThrow('cannot see who connected')
  })
})

test.skipIf(process.platform !== 'linux')('a file in memory gives back what it was given', () => {
  const bytes = Buffer.alloc(300_000, 'config')
  expect(Buffer.from(takeMemoryFile(writeMemoryFile(bytes))).equals(bytes)).toBe(true)
  expect(takeMemoryFile(writeMemoryFile(new Uint8Array()))).toHaveLength(0)
})

/** As systemd has it ready before a service starts. */
function listenAt(path: string): number {
  const name = Buffer.from(path.replace(/^@/, '\0'))
  const address = Buffer.concat([Buffer.from([1, 0]), name, Buffer.alloc(110 - 2 - name.length)])
  const length = 2 + name.length + (path.startsWith('@') ? 0 : 1)
  const fd = libc().socket(1, 1, 0)
  const [bind, listen] = [syscallNumbers.bind, syscallNumbers.listen].map(numbers =>
    process.arch === 'arm64' ? numbers[1] : numbers[0],
  )
  expect(callKernel(bind ?? -1, fd, address, length)).toBe(0)
  expect(callKernel(listen ?? -1, fd, 1)).toBe(0)
  return fd
}

function readText(fd: number): string {
  const buffer = Buffer.alloc(100)
  return buffer.subarray(0, readSync(fd, buffer)).toString()
}

const listenOnce = `
import os, socket, sys
name = sys.argv[1]
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind('\\0' + name[1:] if name[0] == '@' else name)
os.write(1, b'ready')
os.write(1, listener.recv(1000))
`

const connectOnce = `
import socket, sys
client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
client.connect('\\0' + sys.argv[1][1:])
client.recv(1)
`
