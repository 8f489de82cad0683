import { describe, expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { commonRefusals, networkRefusals } from '../../src/base/confinement.ts'
import { buildFilter, type Machine, type Refusal } from '../../src/base/seccomp.ts'
import { type Syscall, syscallNumbers } from '../../src/base/syscall-numbers.ts'
import { frontRefusals } from '../../src/daemon/confine.ts'
import { signerRefusals } from '../../src/signer/confine.ts'

const machines = ['x64', 'arm64'] as const
const architectures = { x64: 0xc000003e, arm64: 0xc00000b7 } as const

describe.each(machines)('a filter for %s', machine => {
  const refusals: readonly Refusal[] = [
    { call: 'socket' },
    { call: 'clone3', error: 38 },
    { call: 'clone', argument: 0, because: { lacksAll: 0x10000 } },
    { call: 'mmap', argument: 2, because: { hasAll: 6 } },
    { call: 'kill', argument: 0, because: { isNot: 77 } },
    { call: 'tgkill', argument: 0, because: { isOneOf: [5] } },
    { call: 'ioctl', argument: 1, because: { isOneOf: [0x5412, 0x541c, 0x8901] } },
    { call: 'sendto', argument: 4, because: 'isSet' },
  ]
  const filter = buildFilter(machine, refusals)
  const answer = (call: Syscall, ...args: readonly bigint[]) =>
    run(filter, { machine, number: numberOf(machine, call), args })

  test.each<[Syscall, bigint[], string]>([
    ['socket', [], 'errno 1'],
    ['connect', [], 'allow'],
    ['clone3', [], 'errno 38'],
    ['clone', [0x10f00n], 'allow'],
    ['clone', [0x11n], 'errno 1'],
    ['mmap', [0n, 0n, 7n], 'errno 1'],
    ['mmap', [0n, 0n, 6n], 'errno 1'],
    ['mmap', [0n, 0n, 5n], 'allow'],
    ['mmap', [0n, 0n, 3n], 'allow'],
    ['kill', [77n], 'allow'],
    ['kill', [78n], 'errno 1'],
    ['kill', [2n ** 32n - 1n], 'errno 1'],
    ['tgkill', [5n], 'errno 1'],
    ['tgkill', [6n], 'allow'],
    ['ioctl', [2n, 0x5412n], 'errno 1'],
    ['ioctl', [2n, 0x541cn], 'errno 1'],
    ['ioctl', [2n, 0x8901n], 'errno 1'],
    // The kernel looks at 32 bits of it, too.
    ['ioctl', [2n, 0xffffffff00005412n], 'errno 1'],
    ['ioctl', [2n, 0x5413n], 'allow'],
    ['ioctl', [0x5412n, 0x5401n], 'allow'],
    ['sendto', [1n, 2n, 3n, 4n, 0n], 'allow'],
    ['sendto', [1n, 2n, 3n, 4n, 1n], 'errno 1'],
    ['sendto', [1n, 2n, 3n, 4n, 2n ** 32n], 'errno 1'],
  ])('answers %s(%p) with %s', (call, args, expected) => {
    expect(answer(call, ...args)).toBe(expected)
  })

  test('ends a process that calls by the numbers of another architecture', () => {
    const other = machine === 'x64' ? 'arm64' : 'x64'
    expect(run(filter, { machine: other, number: 41, args: [] })).toBe('kill')
    if (machine === 'x64') {
      expect(run(filter, { machine, number: 0x40000000 + 41, args: [] })).toBe('kill')
    }
  })

  test('judges each call once: what stands behind the first rule for it would never be asked', () => {
    expectUnique(signerRefusals(1))
    expectUnique([...commonRefusals, ...networkRefusals])
    expectUnique(frontRefusals())
  })
})

test.each([
  ['/usr/include/x86_64-linux-gnu/asm/unistd_64.h', 0],
  ['/usr/include/asm-generic/unistd.h', 1],
] as const)('the numbers are those of %s', (header, column) => {
  if (!existsSync(header)) return
  const defined = [
    ...readFileSync(header, 'utf8').matchAll(/^#define __NR(?:3264)?_(\w+)\s+(\d+)/gm),
  ].map(([, name = '', number]) => [name, Number(number)] as const)
  const known = new Map(defined)
  for (const [name, numbers] of Object.entries(syscallNumbers)) {
    expect([name, known.get(name) ?? null]).toEqual([name, numbers[column]])
  }
})

function expectUnique(refusals: readonly Refusal[]): void {
  const calls = refusals.map(({ call }) => call)
  expect(calls.filter((call, i) => calls.indexOf(call) !== i)).toEqual([])
}

function numberOf(machine: Machine, call: Syscall): number {
  return syscallNumbers[call][machine === 'x64' ? 0 : 1] ?? -1
}

type Call = { readonly machine: Machine; readonly number: number; readonly args: readonly bigint[] }

/** The kernel's side: classic BPF over struct seccomp_data. */
function run(filter: Uint8Array, { machine, number, args }: Call): string {
  const data = new DataView(new ArrayBuffer(64))
  data.setUint32(0, number, true)
  data.setUint32(4, architectures[machine], true)
  for (const [i, arg] of args.entries()) data.setBigUint64(16 + 8 * i, arg, true)
  const program = new DataView(filter.buffer)
  let accumulator = 0
  for (let at = 0; at < filter.length; at += 8) {
    const [ifTrue, ifFalse] = [program.getUint8(at + 2), program.getUint8(at + 3)]
    const k = program.getUint32(at + 4, true)
    const jump = (isSo: boolean): number => 8 * (isSo ? ifTrue : ifFalse)
    const code = program.getUint16(at, true)
    if (code === 0x20) accumulator = data.getUint32(k, true)
    else if (code === 0x54) accumulator = (accumulator & k) >>> 0
    else if (code === 0x15) at += jump(accumulator === k)
    else if (code === 0x35) at += jump(accumulator >= k)
    else if (code === 0x06) return nameOf(k)
    else throw new Error(`no such instruction: ${code}`)
  }
  throw new Error('the program runs past its end')
}

function nameOf(answer: number): string {
  if (answer === 0x7fff0000) return 'allow'
  if (answer === 0x80000000) return 'kill'
  return `errno ${answer & 0xffff}`
}
