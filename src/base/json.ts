/** The only place that turns JSON text into values and back. What comes out is `unknown`. */

export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [name: string]: Json | undefined }

/** Compact JSON. */
export function encodeJson(value: Json): string {
  return JSON.stringify(value)
}

/** JSON for people, two spaces, as the original prints its answers. */
export function prettyJson(value: Json): string {
  return JSON.stringify(value, null, 2)
}

/** The value, or undefined when `text` is not JSON. Never says what the text was. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** An object with its own members only: `__proto__` and `constructor` are just names in it. */
export function asRecord(value: unknown): ReadonlyMap<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return new Map(Object.entries(value))
}

export function asArray(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) ? value : undefined
}

export function asString(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** A whole number a double holds exactly. */
export function asInteger(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined
}
