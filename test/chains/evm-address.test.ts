import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { encodeFunctionData, erc20Abi, getAddress, parseAbi } from 'viem'
import { xdc } from '../../src/chains/xdc.ts'
import {
  family,
  from,
  key,
  own,
  pendingOf,
  plain,
  signAll,
  thrownBy,
  to,
  token,
} from '../support/evm.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

const checksummed = getAddress(to).slice(2)
const digits = to.slice(2)
const x = (address: string) => address.replace('0x', 'xdc')

describe('an address of XDC', () => {
  test.each([
    ['with xdc', `xdc${digits}`],
    ['with 0x', `0x${digits}`],
    ['with xdc and a checksum', `xdc${checksummed}`],
    ['with 0x and a checksum', `0x${checksummed}`],
    ['with xdc, in capitals', `xdc${digits.toUpperCase()}`],
  ])('%s is the same recipient', (_how, recipient) => {
    expect(sign(recipient)).toEqual(sign(to))
    expect(review({ ...plain, to: recipient })).toEqual(review(plain))
  })

  test.each([
    ['a wrong checksum', `xdc${checksummed.replace('eEA', 'EEA')}`, /^to has a wrong checksum/],
    ['a prefix in capitals', `XDC${digits}`, /^to is not xdc or 0x and 40 hex digits$/],
    ['both prefixes', `xdc0x${digits}`, /^to is not xdc or 0x and 40 hex digits$/],
    ['a digit too few', `xdc${digits.slice(1)}`, /^to is not xdc or 0x and 40 hex digits$/],
    ['no prefix', digits, /^to is not xdc or 0x and 40 hex digits$/],
  ])('with %s is refused', (_what, recipient, message) => {
    const refusal = thrownBy(() => review({ ...plain, to: recipient }))
    expect([refusal.code, refusal.message]).toEqual([
      'transaction-malformed',
      expect.stringMatching(message),
    ])
  })

  test('is none on the other chains', () => {
    for (const { chain } of family.filter(({ id }) => id !== 'XDC')) {
      const pending = pendingOf(chain, { ...plain, to: `xdc${digits}` })
      expect(thrownBy(() => chain.review(pending, own)).message).toBe(
        'to is not 0x and 40 hex digits',
      )
    }
  })

  test('in an access list may have xdc, too', () => {
    const listed = (address: string) =>
      review({ ...plain, gasLimit: 99_999, accessList: [{ address, storageKeys: [] }] })
    expect(listed(x(token))).toEqual(listed(token))
  })

  test('is the same in both spellings, whatever its digits', () => {
    const address = fc.uint8Array({ minLength: 20, maxLength: 20 })
    const check = (bytes: Uint8Array) => {
      const plainly = `0x${Buffer.from(bytes).toString('hex')}`
      expect(sign(x(plainly))).toEqual(sign(plainly))
      expect(sign(x(getAddress(plainly)))).toEqual(sign(plainly))
    }
    fc.assert(fc.property(address, check))
  })
})

describe('what a payment of XDC does is told with xdc', () => {
  const asset = `XDC:${x(token)}`

  test('of the coin', () => {
    const pending = pendingOf(xdc, { ...plain, to: from })
    const { intent, claims } = xdc.prepare(pending, own, {})
    expect(intent).toMatchObject({
      kind: 'transfer',
      from: [x(from)],
      outputs: [{ to: x(from), amount: 5n, asset: 'XDC', own: true }],
    })
    expect(claims).toEqual([`nonce/${x(from)}/7`])
  })

  test('of a token', () => {
    const data = encodeFunctionData({ abi: erc20Abi, functionName: 'transfer', args: [to, 9n] })
    expect(review({ ...plain, to: token, data, value: 5 }).outputs).toEqual([
      { to: x(token), amount: 5n, asset: 'XDC', own: false },
      { to: x(to), amount: 9n, asset, own: false },
    ])
  })

  test("of somebody else's token", () => {
    const abi = parseAbi(['function safeTransferFrom(address from, address to, uint256 id)'])
    const args = [token, from as `0x${string}`, 42n] as const
    const data = encodeFunctionData({ abi, functionName: 'safeTransferFrom', args })
    expect(review({ ...plain, to: token, value: 0, data })).toMatchObject({
      from: [x(from), x(token)],
      outputs: [{ to: x(from), amount: 1n, asset: `${asset}#42`, own: true }],
    })
  })

  test('of a new contract, which has no address yet', () => {
    const { to: _, ...rest } = plain
    expect(review({ ...rest, data: '0x6001' }).outputs[0]?.to).toBe('new contract')
  })
})

function review(json: unknown) {
  return xdc.review(pendingOf(xdc, json), own)
}

function sign(recipient: string) {
  const prepared = xdc.prepare(pendingOf(xdc, { ...plain, to: recipient }), own, {})
  return prepared.seal(signAll(prepared, key))
}
