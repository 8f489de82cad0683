import { describe, expect, test } from 'bun:test'
import { ed25519 } from '@noble/curves/ed25519.js'
import { parseApproverKey } from '../../src/guard/approver-key.ts'

/** Test 1 of RFC 8032, 7.1. */
const key = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'
const base64 = Buffer.from(key, 'hex').toString('base64')

describe('a key of an approver', () => {
  test.each([
    ['hex digits', key],
    ['capital hex digits', key.toUpperCase()],
    ['base64', base64],
  ])('is read from %s', (_, text) => {
    expect(parseApproverKey(text)).toBe(key)
  })

  // The eight points of small order, each in its one encoding and some in others that ZIP 215 reads:
  // https://eprint.iacr.org/2020/1244, table 6.
  test.each([
    ['0100000000000000000000000000000000000000000000000000000000000000'],
    ['ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
    ['0000000000000000000000000000000000000000000000000000000000000000'],
    ['0000000000000000000000000000000000000000000000000000000000000080'],
    ['26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'],
    ['26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85'],
    ['c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'],
    ['c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa'],
    ['0100000000000000000000000000000000000000000000000000000000000080'],
    ['edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
    ['eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff'],
    ['ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff'],
  ])('is not the point %s of small order', text => {
    expect(parseApproverKey(text)).toBeUndefined()
  })

  test('has no part of small order', () => {
    const small = ed25519.Point.fromHex(
      '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    )
    const mixed = ed25519.Point.fromHex(key).add(small).toHex()
    expect(mixed).not.toBe(key)
    expect(parseApproverKey(mixed)).toBeUndefined()
  })

  test('is a point of the curve', () => {
    const off = Array.from({ length: 20 }, (_, n) =>
      n.toString(16).padStart(2, '0').padEnd(64, '0'),
    )
    const read = off.filter(text => parseApproverKey(text) !== undefined)
    for (const text of read) expect(ed25519.Point.fromHex(text).isTorsionFree()).toBe(true)
    expect(read.length).toBeLessThan(off.length)
  })

  test.each([
    ['nothing', ''],
    ['a digit too few', key.slice(1)],
    ['a byte too many', `${key}00`],
    ['a prefix', `0x${key}`],
    ['a space', ` ${key}`],
    ['base64 without its padding', base64.replace('=', '')],
    ['base64 of URLs', base64.replaceAll('+', '-').replaceAll('/', '_')],
    ['base64 with a character that is skipped', base64.replace(/^(.)/, '$1\n')],
    ['base64 with bits that count for nothing', base64.replace(/.=$/, 'p=')],
    ['base64 of 31 bytes', Buffer.from(key, 'hex').subarray(1).toString('base64')],
    ['PEM', '-----BEGIN PUBLIC KEY-----'],
    ['64 other characters', 'g'.repeat(64)],
  ])('is not %s', (_, text) => {
    expect(parseApproverKey(text)).toBeUndefined()
  })
})
