import { type Syscall, syscallNumbers } from './syscall-numbers.ts'

/** What a call's argument must be like for the call to be refused. */
export type Refusal =
  | { readonly call: Syscall; readonly because?: undefined; readonly error?: number }
  | {
      readonly call: Syscall
      /** Index of the argument; only its low 32 bits are looked at, except for `isSet`. */
      readonly argument: number
      readonly because:
        | { readonly hasAll: number }
        | { readonly lacksAll: number }
        | { readonly isNot: number }
        | { readonly isOneOf: readonly number[] }
        /** Not zero, in all of its 64 bits. */
        | 'isSet'
      readonly error?: number
    }

export type Machine = 'x64' | 'arm64'

const EPERM = 1

/**
 * A seccomp filter (struct sock_filter[], linux/filter.h) that refuses these calls and allows all
 * others. A call by another architecture's numbers ends the process.
 */
export function buildFilter(machine: Machine, refusals: readonly Refusal[]): Uint8Array {
  const program: Instruction[] = [
    load(offsets.architecture),
    [op.jumpIfEqual, 1, 0, machine === 'x64' ? 0xc000003e : 0xc00000b7], // AUDIT_ARCH_*
    [op.answer, 0, 0, answers.killProcess],
    load(offsets.number),
  ]
  // The x32 ABI has the same calls once more, under numbers from here on.
  if (machine === 'x64') {
    program.push([op.jumpIfAtLeast, 0, 1, 0x40000000], [op.answer, 0, 0, answers.killProcess])
  }
  for (const refusal of refusals) program.push(...blockFor(machine, refusal))
  program.push([op.answer, 0, 0, answers.allow])
  return encode(program)
}

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, k: number]

/** linux/bpf_common.h: the few operations that are needed, all on 32-bit words. */
const op = {
  load: 0x20,
  jumpIfEqual: 0x15,
  jumpIfAtLeast: 0x35,
  and: 0x54,
  answer: 0x06,
} as const

/** SECCOMP_RET_* */
const answers = { killProcess: 0x80000000, error: 0x00050000, allow: 0x7fff0000 } as const

/** struct seccomp_data { int nr; u32 arch; u64 instruction_pointer; u64 args[6] } */
const offsets = { number: 0, architecture: 4, arguments: 16 } as const

function load(offset: number): Instruction {
  return [op.load, 0, 0, offset]
}

function blockFor(machine: Machine, refusal: Refusal): readonly Instruction[] {
  const number = syscallNumbers[refusal.call][machine === 'x64' ? 0 : 1]
  if (number === null) return []
  const refuse: Instruction = [op.answer, 0, 0, answers.error | (refusal.error ?? EPERM)]
  const body = refusal.because === undefined ? [refuse] : judge(refusal, refuse)
  return [[op.jumpIfEqual, 0, body.length, number], ...body]
}

/** Every path answers: what was loaded over the call's number is not needed any more. */
function judge(
  { argument, because }: Extract<Refusal, { argument: number }>,
  refuse: Instruction,
): readonly Instruction[] {
  const low = offsets.arguments + 8 * argument
  const allow: Instruction = [op.answer, 0, 0, answers.allow]
  if (because === 'isSet') {
    return [
      load(low),
      [op.jumpIfEqual, 0, 2, 0],
      load(low + 4),
      [op.jumpIfEqual, 1, 0, 0],
      refuse,
      allow,
    ]
  }
  if ('isOneOf' in because) {
    const { isOneOf: values } = because
    const jumps = values.map((value, i): Instruction => {
      const left = values.length - 1 - i
      return [op.jumpIfEqual, left, left === 0 ? 1 : 0, value]
    })
    return [load(low), ...jumps, refuse, allow]
  }
  if ('isNot' in because) return [load(low), [op.jumpIfEqual, 1, 0, because.isNot], refuse, allow]
  const [mask, wanted] =
    'hasAll' in because ? [because.hasAll, because.hasAll] : [because.lacksAll, 0]
  return [load(low), [op.and, 0, 0, mask], [op.jumpIfEqual, 0, 1, wanted], refuse, allow]
}

function encode(program: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(program.length * 8)
  const fields = new DataView(bytes.buffer)
  for (const [i, [code, ifTrue, ifFalse, k]] of program.entries()) {
    fields.setUint16(8 * i, code, true)
    fields.setUint8(8 * i + 2, ifTrue)
    fields.setUint8(8 * i + 3, ifFalse)
    fields.setUint32(8 * i + 4, k, true)
  }
  return bytes
}
