import { KmsError } from '../base/errors.ts'
import { asArray, asRecord } from '../base/json.ts'

/** Readers of the members of a policy file, each of which names the place of what is wrong. */
export type Members = ReadonlyMap<string, unknown>

const maxTables = 1_000
const maxListed = 50_000
const maxText = 500
const maxName = 60
/** Issued money of XRP counts in units of 10^-96: no amount that there is has more digits. */
const maxDigits = 200

export function wrong(where: string, reason: string): KmsError {
  return new KmsError('usage', `the policy is wrong at ${where}: ${reason}`)
}

export function at(where: string, name: string): string {
  return where === '' ? name : `${where}, ${name}`
}

/** What is misspelled would otherwise be a rule that is not there. */
export function refuseOthers(members: Members, where: string, known: readonly string[]): void {
  for (const name of members.keys()) {
    if (!known.includes(name)) throw wrong(at(where, quoted(name)), 'no such member is known here')
  }
}

export function readTables(
  members: Members,
  name: string,
): readonly { readonly members: Members; readonly place: string }[] {
  const value = members.get(name)
  if (value === undefined) return []
  const list = asArray(value)
  if (list === undefined) throw wrong(name, `write each one as [[${name}]]`)
  if (list.length > maxTables) throw wrong(name, `there are more than ${maxTables}`)
  return list.map((table, i) => {
    const place = `${name} ${i + 1}`
    const read = asRecord(table)
    if (read === undefined) throw wrong(place, 'it is no table')
    return { members: read, place }
  })
}

/** The name of a rule or cap, by which verdicts say what they come from. */
export function addName(members: Members, place: string, names: Set<string>): string {
  const name = members.get('name')
  if (typeof name !== 'string' || !/^[\w.,:()/+-][\w .,:()/+-]*$/.test(name)) {
    throw wrong(place, 'its name is missing, or not made of letters, digits, blanks and .,:()/+-_')
  }
  if (name.length > maxName) throw wrong(place, `its name is longer than ${maxName} characters`)
  if (names.has(name)) throw wrong(place, `another one is named "${name}" too`)
  names.add(name)
  return name
}

export function readText(members: Members, where: string, name: string): string | undefined {
  const value = members.get(name)
  if (value === undefined) return undefined
  return textAt(value, at(where, name))
}

export function readFlag(members: Members, where: string, name: string): boolean | undefined {
  const value = members.get(name)
  if (value === undefined || typeof value === 'boolean') return value
  throw wrong(at(where, name), 'it must be true or false')
}

export function readChoice<T extends string>(
  members: Members,
  where: string,
  name: string,
  choices: readonly T[],
): T | undefined {
  const value = members.get(name)
  if (value === undefined) return undefined
  const choice = choices.find(known => known === value)
  if (choice !== undefined) return choice
  throw wrong(at(where, name), `it must say ${choices.map(quoted).join(' or ')}`)
}

/** A list of texts with one at least: an empty one says nothing of what was meant. */
export function readSet(
  members: Members,
  where: string,
  name: string,
  read: (text: string, where: string) => string,
): ReadonlySet<string> | undefined {
  const value = members.get(name)
  if (value === undefined) return undefined
  const list = asArray(value)
  if (list === undefined) throw wrong(at(where, name), 'it must be a list of texts')
  if (list.length === 0)
    throw wrong(at(where, name), 'it is empty: leave it out, or list something')
  if (list.length > maxListed) throw wrong(at(where, name), `it lists more than ${maxListed}`)
  return new Set(
    list.map((text, i) => {
      const place = `${at(where, name)}, number ${i + 1}`
      return read(textAt(text, place), place)
    }),
  )
}

/** Base units: a whole number; in text also as `1_000_000` and `1.5e18`, which are whole as well. */
export function readAmount(members: Members, where: string, name: string): bigint | undefined {
  const value = members.get(name)
  if (value === undefined) return undefined
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return BigInt(value)
  const amount = typeof value === 'string' ? amountIn(value) : undefined
  if (amount !== undefined) return amount
  const reason = 'it must be a whole number of base units: 1000 or, in text, "1_000" or "1.5e18"'
  throw wrong(at(where, name), reason)
}

function amountIn(text: string): bigint | undefined {
  const [, whole = '', fraction = '', shift = '0'] =
    (text.length <= maxDigits && /^(\d+(?:_\d+)*)(?:\.(\d+))?(?:e(\d{1,3}))?$/.exec(text)) || []
  const zeros = Number(shift) - fraction.length
  if (whole === '' || zeros < 0) return undefined
  return BigInt(whole.replaceAll('_', '') + fraction) * 10n ** BigInt(zeros)
}

const units = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const maxDuration = 31 * units.d

/** From a minute to 31 days. */
export function readDuration(members: Members, where: string, name: string): number | undefined {
  const text = readText(members, where, name)
  if (text === undefined) return undefined
  const [, count = '', unit = ''] = /^([1-9]\d{0,4})([mhd])$/.exec(text) ?? []
  const ms = Number(count) * (units[unit as keyof typeof units] ?? 0)
  if (ms > 0 && ms <= maxDuration) return ms
  throw wrong(at(where, name), 'it must be like "90m", "24h" or "7d", 31 days at most')
}

function textAt(value: unknown, where: string): string {
  if (typeof value === 'string' && value.length <= maxText && /^[\x20-\x7e]+$/.test(value)) {
    return value
  }
  throw wrong(where, `it must be text: 1 to ${maxText} printable ASCII characters`)
}

/** A file of somebody else's making must not steer the terminal that shows what is wrong with it. */
function quoted(name: string): string {
  return /^[\w .-]{1,60}$/.test(name) ? `"${name}"` : 'a name'
}
