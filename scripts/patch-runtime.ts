/**
 * Takes out of a Bun runtime what lets its environment put other code in the place of ours. Done to
 * the runtime alone, before our program is embedded in it: strings of ours stay as they are.
 */

/** What each variable could do. */
const backDoors = {
  BUN_BE_BUN: 'run as the whole of Bun, with any script',
  BUN_OPTIONS: 'load other code before ours (--preload)',
  // Also BUN_INSPECT_CONNECT_TO, BUN_INSPECT_NOTIFY, BUN_INSPECT_PRELOAD.
  BUN_INSPECT: 'let a debugger in',
  // Also BUN_BYTECODE_ORDER_NAMES_OUT, BUN_BYTECODE_DIGEST_OUT.
  BUN_BYTECODE_: 'write a file anywhere',
  BUN_RUNTIME_TRANSPILER_CACHE_PATH: 'read compiled code from a folder',
  BUN_TCC_OPTIONS: 'change how native calls are compiled',
  BUN_CONFIG_VERBOSE_FETCH: 'print requests with their keys',
  BUN_ENABLE_CRASH_REPORTING: 'send traces of a crash away',
  BUN_CRASH_REPORT_URL: 'send them to any host',
} as const

export type BackDoor = keyof typeof backDoors

export type PatchedRuntime = {
  readonly bytes: Uint8Array
  /** How often each name was found. */
  readonly replaced: Readonly<Record<BackDoor, number>>
}

/**
 * A copy of `runtime` in which each name begins with a zero byte, which no variable's name can hold.
 * Throws when one is not found: another version of Bun may read it in another way.
 */
export function patchRuntime(runtime: Uint8Array): PatchedRuntime {
  const bytes = Buffer.from(runtime)
  const names = Object.keys(backDoors) as BackDoor[]
  const replaced = Object.fromEntries(names.map(name => [name, blank(bytes, name)]))
  const missing = names.filter(name => replaced[name] === 0)
  if (missing.length > 0) throw new Error(`not found in the runtime: ${missing.join(', ')}`)
  return { bytes, replaced: replaced as PatchedRuntime['replaced'] }
}

const propertyAccess = Buffer.from('env.')

function blank(bytes: Buffer, name: string): number {
  let count = 0
  for (let at = bytes.indexOf(name); at !== -1; at = bytes.indexOf(name, at + name.length)) {
    // The runtime's own JavaScript (its debugger's) must stay JavaScript.
    if (bytes.subarray(at - propertyAccess.length, at).equals(propertyAccess)) continue
    bytes[at] = 0
    count++
  }
  return count
}
