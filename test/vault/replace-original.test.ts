import { describe, expect, test } from 'bun:test'
import { asKmsError } from '../../src/base/errors.ts'
import { replaceOriginal } from '../../src/vault/replace-original.ts'
import { type Fault, type Files, faultyDisk, memoryDisk } from '../support/faulty-disk.ts'

const path = '/v/wallet.dat'
const kept = `${path}.original`
const fresh = `${path}.migrating`
const original = Buffer.from('U2FsdGVkX1 the old file')
const vault = Buffer.from('tatumkms the new vault')
const start: Files = new Map([
  [path, original],
  [fresh, vault],
])

const isOne = (found: Uint8Array | undefined, ...wanted: readonly Uint8Array[]) =>
  found !== undefined && wanted.some(bytes => Buffer.compare(found, bytes) === 0)

/** There is always a whole file at `path`, and the original is never lost. */
function isSafe(files: Files): boolean {
  const [now, old] = [files.get(path), files.get(kept)]
  return isOne(now, original, vault) && (isOne(now, original) || isOne(old, original))
}

function codeAfter(files: Files): string | undefined {
  try {
    replaceOriginal(memoryDisk(files), { path, fresh, original })
    return undefined
  } catch (thrown) {
    return asKmsError(thrown).code
  }
}

/** Whether every step, failed or cut off, leaves a safe disk; `forgets` is a broken program. */
function survives(fault: Fault, forgets?: 'sync' | 'syncFolder'): boolean {
  for (let step = 0; ; step++) {
    const memory = memoryDisk(start, forgets)
    const { disk, ranOut } = faultyDisk(memory, step, fault)
    try {
      replaceOriginal(disk, { path, fresh, original })
    } catch (thrown) {
      expect(asKmsError(thrown).code).not.toBe('unexpected')
    }
    if (![memory.files(), ...memory.afterPowerCut()].every(isSafe)) return false
    if (!ranOut()) return true
  }
}

describe('the vault in the place of the original', () => {
  test('stands there alone, and the original is kept', () => {
    const memory = memoryDisk(start)
    replaceOriginal(memory, { path, fresh, original })
    for (const files of [memory.files(), ...memory.afterPowerCut()]) {
      expect([...files.keys()].sort()).toEqual([path, kept])
      expect(isOne(files.get(path), vault) && isOne(files.get(kept), original)).toBe(true)
    }
  })

  test.each(['fail', 'tear', 'power'] as const)('loses nothing by %s at any step', fault => {
    expect(survives(fault)).toBe(true)
  })

  test('would lose the original without a sync', () => {
    expect(survives('power', 'sync')).toBe(false)
    expect(survives('power', 'syncFolder')).toBe(false)
  })

  test('comes there the second time when the first was cut off behind the copy', () => {
    expect(codeAfter(new Map([...start, [kept, original]]))).toBeUndefined()
  })

  test('does not come there over another kept file', () => {
    expect(codeAfter(new Map([...start, [kept, Buffer.from('older')]]))).toBe('disk')
  })

  test('does not come there when the original was changed meanwhile', () => {
    expect(codeAfter(new Map([...start, [path, Buffer.from('U2FsdGVkX1 more')]]))).toBe(
      'vault-busy',
    )
  })
})
