import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { decodeAccountID, encodeAccountID, isValidClassicAddress } from 'xrpl'
import { accountId, accountText, isAccount } from '../../src/chains/family/xrp-address.ts'
import { somebody } from '../support/xrp.ts'

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)
const ids = fc.uint8Array({ minLength: 20, maxLength: 20 })

describe('a classic address', () => {
  // https://xrpl.org/docs/concepts/accounts/addresses, "Special Addresses"
  test.each([
    ['rrrrrrrrrrrrrrrrrrrrrhoLvTp', '00'.repeat(20)],
    ['rrrrrrrrrrrrrrrrrrrrBZbvji', `${'00'.repeat(19)}01`],
  ])('%s is that of account %s', (text, id) => {
    expect(accountText(Buffer.from(id, 'hex'))).toBe(text)
    expect(accountId(text)).toBe(id)
  })

  test('is written and read as xrpl does it', () => {
    const check = (id: Uint8Array) => {
      const text = accountText(id)
      expect(text).toBe(encodeAccountID(id))
      expect(accountId(text)).toBe(Buffer.from(decodeAccountID(text)).toString('hex').toUpperCase())
    }
    fc.assert(fc.property(ids, check), { numRuns })
  })

  test('with any letter changed, added or left out is what xrpl says it is', () => {
    const letter = fc.constantFrom(...Array.from('rpshnaf39wBUDNEGzXT0OIl é'))
    const check = (id: Uint8Array, at: number, count: number, added: string) => {
      const text = accountText(id)
      const start = at % text.length
      const changed = text.slice(0, start) + added + text.slice(start + count)
      expect(isAccount(changed)).toBe(isValidClassicAddress(changed))
    }
    const changes = [fc.nat(40), fc.nat(2), fc.string({ unit: letter, maxLength: 2 })] as const
    fc.assert(fc.property(ids, ...changes, check), { numRuns })
  })

  test.each([
    ['nothing', ''],
    ['an X-address', 'XV5sbjUmgPpvXv4ixFWZ5ptAYZ6PD2gYsjNFQLKYW33DzBm'],
    ['a seed', 'snoPBrXtMeMyMHUVTgbuqAfg1SUTb'],
    ['a public key', 'aB44YfzW24VDEJQ2UuLPV2PvqcPCSoLnL7y5M1EzhdW4LnK5xMS3'],
    ['blanks around it', ` ${somebody} `],
    ['many letters', 'r'.repeat(100_000)],
  ])('is not %s', (_, text) => {
    expect(isAccount(text)).toBe(false)
    expect(accountId(text)).toBeUndefined()
  })
})
