/** Runs a program on a kernel that lacks some calls: `older-kernel.ts CALL,CALL PROGRAM ARGS…`. */
import { execve } from '../../src/base/native.ts'
import { forbidNewPrivileges, refuseCalls } from '../../src/base/native-confine.ts'
import type { Syscall } from '../../src/base/syscall-numbers.ts'

const ENOSYS = 38
const [calls = '', ...program] = process.argv.slice(2)
forbidNewPrivileges()
const missing = calls.split(',').map(call => ({ call: call as Syscall, error: ENOSYS }))
const refused = refuseCalls(missing)
if (refused !== undefined) throw new Error(refused)
const environment = Object.entries(process.env).map(([name, value]) => [name, value ?? ''])
execve(program[0] ?? '', program, Object.fromEntries(environment))
