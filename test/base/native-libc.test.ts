import { toArrayBuffer } from 'bun:ffi'
import { expect, test } from 'bun:test'
import { lendAddress } from '../../src/base/native-libc.ts'

test('bytes whose address is lent stay as they are, whatever the collector does meanwhile', () => {
  for (let round = 0; round < 50; round++) {
    // Nobody else has these bytes.
    const isWhole = lendAddress(new Uint8Array(1_744).fill(7), address => {
      Bun.gc(true)
      const others = Array.from({ length: 2_000 }, () => new Uint8Array(1_744).fill(9))
      const seen = new Uint8Array(toArrayBuffer(address as never, 0, 1_744))
      return others.length > 0 && seen.every(byte => byte === 7)
    })
    expect(isWhole).toBe(true)
  }
})
