import { release } from 'node:os'
import { setNoCoreDumps } from '../../base/native.ts'
import { lockPages, mapPrivatePages, mapSecretPages } from '../../base/native-memory.ts'
import { isCompiled } from '../../base/program.ts'
import { readSystemFile } from '../../base/system-file.ts'
import type { Context } from '../context.ts'
import { version } from '../version.ts'
import { type Check, check, type Finding } from './check.ts'

const onLinux = process.platform === 'linux'

/** How far this machine lets secrets be kept from others. */
export function checkMachine({ variable }: Pick<Context, 'variable'>): readonly Promise<Check>[] {
  return [
    check('version', () => [
      'ok',
      `tatum-kms ${version} on bun ${Bun.version}, ${process.platform} ${process.arch}`,
    ]),
    check('runtime variables', () => runtimeVariables(variable)),
    check('locked memory', lockedMemory),
    check('core dumps', coreDumps),
    ...(onLinux
      ? [
          check('kernel', () => kernel(release())),
          check('secret memory', secretMemory),
          check('debuggers', () =>
            ptraceScope(readSystemFile('/proc/sys/kernel/yama/ptrace_scope')),
          ),
          check('open files', () => openFiles(readSystemFile('/proc/self/limits'))),
          check('swap', () => swap(readSystemFile('/proc/swaps'))),
        ]
      : []),
  ]
}

/**
 * They change what runs before ours can object. Those of Bun are taken out of the compiled program
 * (scripts/patch-runtime.ts), but for the engine's own settings.
 */
function runtimeVariables(variable: Context['variable']): Finding {
  const ofBun = isCompiled() ? [] : ['BUN_OPTIONS', 'BUN_BE_BUN', 'BUN_INSPECT']
  const ofLoader = ['LD_PRELOAD', 'LD_AUDIT', 'LD_LIBRARY_PATH', 'DYLD_INSERT_LIBRARIES']
  const set = [...ofBun, ...ofLoader].filter(name => variable(name))
  if (set.length === 0) return ['ok', 'none is set that changes what this program runs']
  return ['warning', `${set.join(', ')} can make this program run other code`, 'unset it']
}

/** What a command locks at once, and a daemon to begin with. */
const usualAmount = 256 * 1024

function lockedMemory(): Finding {
  const failure = lockPages(mapPrivatePages(usualAmount))
  const limit = memoryLimit(readSystemFile('/proc/self/limits'))
  const allowed = limit === undefined ? '' : `, at most ${limit}`
  if (failure === undefined) return ['ok', `secrets can be locked in memory${allowed}`]
  return ['failed', `${failure}${allowed}`, 'raise the limit (LimitMEMLOCK, ulimit -l)']
}

/** The soft limit, which is the one that holds. */
export function memoryLimit(limits: string | undefined): string | undefined {
  const [, bytes] = /^Max locked memory\s+(\S+)/m.exec(limits ?? '') ?? []
  if (bytes === undefined || bytes === 'unlimited') return bytes
  return `${Math.floor(Number(bytes) / 1024)} KiB`
}

/** A daemon has a hundred or so of them open: databases, connections, threads. */
const fewestFiles = 512

export function openFiles(limits: string | undefined): Finding {
  const [, limit] = /^Max open files\s+(\S+)/m.exec(limits ?? '') ?? []
  if (limit === undefined) return ['warning', 'the kernel does not tell how many are allowed']
  const isEnough = limit === 'unlimited' || Number(limit) >= fewestFiles
  if (isEnough) return ['ok', `at most ${limit}`]
  return ['warning', `at most ${limit}`, 'raise the limit (LimitNOFILE, ulimit -n)']
}

/** Switched off for this process, as the daemon does for its own. */
function coreDumps(): Finding {
  if (setNoCoreDumps()) return ['ok', 'a crash leaves no memory image behind']
  return ['warning', 'core dumps cannot be switched off: a crash may write secrets to disk']
}

/** Landlock came with 5.13, memfd_secret with 5.14. */
export function kernel(name: string): Finding {
  const [major = 0, minor = 0] = name.split('.').map(part => Number.parseInt(part, 10))
  if (major > 5 || (major === 5 && minor >= 14)) return ['ok', `linux ${name}`]
  return ['warning', `linux ${name} is older than 5.14: it offers less to protect secrets with`]
}

function secretMemory(): Finding {
  if (mapSecretPages(1) !== undefined) {
    return ['ok', 'memfd_secret keeps secrets out of the reach of the kernel itself']
  }
  return ['warning', 'no memfd_secret: locked pages are used', 'kernel 5.14, secretmem.enable=1']
}

export function ptraceScope(text: string | undefined): Finding {
  const scope = text?.trim()
  if (scope === undefined) return ['warning', 'the kernel has no Yama to keep debuggers away']
  if (scope !== '0') return ['ok', `kernel.yama.ptrace_scope is ${scope}`]
  return ['warning', 'programs of this user may debug each other', 'kernel.yama.ptrace_scope=1']
}

export function swap(text: string | undefined): Finding {
  if (text === undefined) return ['warning', 'the kernel does not tell about swap']
  const devices = text.trim().split('\n').length - 1
  if (devices === 0) return ['ok', 'no swap is active']
  return [
    'warning',
    `active swap areas: ${devices}; what is not locked may get there`,
    'swapoff -a',
  ]
}
