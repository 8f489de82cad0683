import type { Disk } from '../base/disk.ts'
import { KmsError } from '../base/errors.ts'
import { readConfigFile } from '../base/guarded-file.ts'

/** Variables of a file, by name; the last of several lines with one name counts. */
export type EnvFile = ReadonlyMap<string, string>

export const maxEnvFileLength = 64 * 1024

/** Undefined when there is no such file. Refuses one that others than its owner could have written. */
export function readEnvFile(disk: Disk, path: string): EnvFile | undefined {
  const bytes = readConfigFile(disk, path, maxEnvFileLength)
  if (bytes === undefined) return undefined
  try {
    return parseEnvFile(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'))
  } finally {
    bytes.fill(0)
  }
}

/**
 * Lines `NAME=value` as shells and systemd write them: `export ` in front, comments, a value in
 * single quotes as it is, in double quotes with \n \" \\ \$ resolved. Nothing is expanded.
 */
export function parseEnvFile(text: string): EnvFile {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  return new Map(
    lines.flatMap((line, i): readonly (readonly [string, string])[] => {
      const trimmed = line.trim()
      if (trimmed === '' || trimmed.startsWith('#')) return []
      const [, name, value = ''] = /^(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*)$/.exec(trimmed) ?? []
      const read = name === undefined ? undefined : readValue(value)
      // The line may hold a secret: its number must do.
      if (name === undefined || read === undefined) throw malformed(i + 1)
      return [[name, read]]
    }),
  )
}

function readValue(text: string): string | undefined {
  const [, single] = /^'([^']*)'\s*(?:#.*)?$/.exec(text) ?? []
  if (single !== undefined) return single
  const [, double] = /^"((?:[^"\\]|\\.)*)"\s*(?:#.*)?$/.exec(text) ?? []
  if (double !== undefined) return double.replace(/\\(.)/g, (_, c) => (c === 'n' ? '\n' : c))
  if (/^['"]/.test(text)) return undefined
  return text.replace(/\s+#.*$/, '')
}

function malformed(line: number): KmsError {
  return new KmsError('usage', `line ${line} of the env file is not NAME=value`)
}
