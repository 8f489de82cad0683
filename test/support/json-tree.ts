import type { Json } from './evm.ts'

/** The values of a JSON tree, as paths to them. */
export function leavesOf(
  json: unknown,
  path: readonly string[] = [],
): readonly (readonly string[])[] {
  if (typeof json !== 'object' || json === null) return [path]
  return Object.entries(json).flatMap(([member, value]) => leavesOf(value, [...path, member]))
}

export function replaceAt(json: Json, path: readonly string[], value: unknown): Json {
  const copy = structuredClone(json)
  const last = path.at(-1) ?? ''
  const holder = path
    .slice(0, -1)
    .reduce<unknown>((node, member) => Reflect.get(Object(node), member), copy)
  Reflect.set(Object(holder), last, value)
  return copy
}
