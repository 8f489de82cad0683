import { closeSync, fstatSync } from 'node:fs'
import { writeOut } from './native.ts'
import { callFailed, callKernel, cString } from './native-libc.ts'
import { openFile, readUpTo } from './open-file.ts'
import { syscallNumbers } from './syscall-numbers.ts'

/**
 * A file without a name that holds `bytes`: execve passes it on, and neither argv nor environment
 * shows it. It outlives no exec unless `setCloseOnExec` lets it. Linux only.
 */
export function writeMemoryFile(bytes: Uint8Array): number {
  const [x64, arm64] = syscallNumbers.memfd_create
  const number = process.arch === 'arm64' ? arm64 : x64
  const fd = callKernel(number, cString('tatum-kms'), 1 /* MFD_CLOEXEC */)
  if (fd < 0) throw callFailed('unexpected', 'cannot make a file in memory')
  writeOut(fd, bytes)
  return fd
}

/** All of such a file, which is gone then. */
export function takeMemoryFile(fd: number): Uint8Array {
  try {
    return readUpTo(openFile(fd).read, 0, fstatSync(fd).size)
  } finally {
    closeSync(fd)
  }
}
