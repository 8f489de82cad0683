import { describe, expect, test } from 'bun:test'
import { parseAbi } from 'viem'
import { encodeFunctionData, getAddress } from 'viem/utils'
import type { Intent } from '../../src/base/model.ts'
import { eth } from '../../src/chains/eth.ts'
import { from, type Json, own, pendingOf, plain, to, token } from '../support/evm.ts'

const other = '0x9858effd232b4033e47d90003d41ec34ecaeda94'

describe('what a transaction does', () => {
  const abi = parseAbi([
    'function transfer(address to, uint256 amount)',
    'function approve(address spender, uint256 amount)',
    'function transferFrom(address from, address to, uint256 amount)',
    'function setApprovalForAll(address operator, bool approved)',
    'function mint(address to, uint256 amount)',
  ])
  const nft = parseAbi(['function safeTransferFrom(address from, address to, uint256 id)'])
  const nftBytes = parseAbi(['function safeTransferFrom(address, address, uint256, bytes)'])
  const multi = parseAbi(['function safeTransferFrom(address, address, uint256, uint256, bytes)'])
  const batch = parseAbi([
    'function safeBatchTransferFrom(address, address, uint256[], uint256[], bytes)',
  ])
  const self = getAddress(from)
  const safe = 'safeTransferFrom'
  const safeBatch = 'safeBatchTransferFrom'
  const asset = `ETH:${token}`
  const paid = { to: token, amount: 5n, asset: 'ETH', own: false }
  const got = { to, asset, own: false }

  test.each([
    ['transfer', call('transfer', [to, 9n]), [{ ...got, amount: 9n }], {}],
    ['approve', call('approve', [to, 9n]), [{ ...got, amount: 9n }], { kind: 'approve' }],
    ['transferFrom oneself', call('transferFrom', [self, to, 9n]), [{ ...got, amount: 9n }], {}],
    [
      'transferFrom somebody else',
      call('transferFrom', [other, self, 9n]),
      [{ to: from, amount: 9n, asset, own: true }],
      { from: [from, other] },
    ],
    [
      'setApprovalForAll',
      call('setApprovalForAll', [to, true]),
      [{ ...got, amount: 1n }],
      { kind: 'approve-all' },
    ],
    [
      'setApprovalForAll, taken back',
      call('setApprovalForAll', [to, false]),
      [{ ...got, amount: 0n }],
      { kind: 'approve-all' },
    ],
    [
      'safeTransferFrom of ERC-721',
      encodeFunctionData({ abi: nft, functionName: safe, args: [self, to, 42n] }),
      [{ ...got, asset: `${asset}#42`, amount: 1n }],
      { kind: 'nft-transfer' },
    ],
    [
      'safeTransferFrom of ERC-721 with bytes for the recipient',
      encodeFunctionData({ abi: nftBytes, functionName: safe, args: [self, to, 42n, '0xaa'] }),
      [{ ...got, asset: `${asset}#42`, amount: 1n }],
      { kind: 'nft-transfer', unread: true },
    ],
    [
      'safeTransferFrom of ERC-1155',
      encodeFunctionData({ abi: multi, functionName: safe, args: [self, to, 7n, 5n, '0x'] }),
      [{ ...got, asset: `${asset}#7`, amount: 5n }],
      { kind: 'nft-transfer' },
    ],
    [
      'safeBatchTransferFrom of ERC-1155',
      encodeFunctionData({
        abi: batch,
        functionName: safeBatch,
        args: [other, to, [7n, 8n], [5n, 6n], '0x'],
      }),
      [
        { ...got, asset: `${asset}#7`, amount: 5n },
        { ...got, asset: `${asset}#8`, amount: 6n },
      ],
      { kind: 'nft-transfer', from: [from, other] },
    ],
    ['an unknown call', call('mint', [to, 9n]), [], { kind: 'contract-call', unread: true }],
    [
      'a batch of nothing',
      encodeFunctionData({ abi: batch, functionName: safeBatch, args: [self, to, [], [], '0x'] }),
      [],
      { kind: 'contract-call', unread: true },
    ],
    [
      'a batch with an amount too few',
      encodeFunctionData({ abi: batch, functionName: safeBatch, args: [self, to, [7n], [], '0x'] }),
      [],
      { kind: 'contract-call', unread: true },
    ],
  ] as readonly (readonly [string, string, Intent['outputs'], Partial<Intent>])[])(
    '%s',
    (_name, data, outputs, more) => {
      const expected = { kind: 'token-transfer', from: [from], ...more }
      expect(review({ to: token, data })).toEqual({
        ...expected,
        outputs: outputs.length > 0 ? outputs : [{ ...paid, amount: 0n }],
      })
      expect(review({ to: token, data, value: 5 })).toEqual({
        ...expected,
        outputs: [paid, ...outputs],
      })
    },
  )

  test('a payment of the coin', () => {
    expect(review(plain)).toEqual({
      kind: 'transfer',
      from: [from],
      outputs: [{ to, amount: 5n, asset: 'ETH', own: false }],
      fee: { amount: 21_000n * 20_000_000_000n, asset: 'ETH' },
    })
    expect(review({ ...plain, to: from }).outputs).toMatchObject([{ to: from, own: true }])
  })

  test('a new contract', () => {
    expect(review({ data: '0x6001', value: 5 })).toEqual({
      kind: 'contract-creation',
      from: [from],
      outputs: [{ to: 'new contract', amount: 5n, asset: 'ETH', own: false }],
      unread: true,
    })
  })

  test('a call is read exactly or not at all', () => {
    const calls = [
      call('transfer', [to, 9n]),
      call('transferFrom', [self, to, 9n]),
      call('setApprovalForAll', [to, true]),
      encodeFunctionData({ abi: nftBytes, functionName: safe, args: [self, to, 42n, '0xaabb'] }),
      encodeFunctionData({ abi: multi, functionName: safe, args: [self, to, 7n, 5n, '0xaabb'] }),
      encodeFunctionData({
        abi: batch,
        functionName: safeBatch,
        args: [self, to, [7n, 8n], [5n, 6n], '0xaabb'],
      }),
    ]
    for (const data of calls) {
      for (const spoilt of [
        `${data}00`,
        `${data}${'00'.repeat(32)}`,
        data.slice(0, -64),
        data.slice(0, -2),
      ]) {
        expect(review({ to: token, data: spoilt }).kind).toBe('contract-call')
      }
      const { unread: _, ...honest } = review({ to: token, data })
      for (let at = 10; at < data.length; at += 2) {
        const digit = data[at] === '8' ? '9' : '8'
        const { unread, ...changed } = review({
          to: token,
          data: `${data.slice(0, at)}${digit}${data.slice(at + 1)}`,
        })
        // The two bytes for the recipient say nothing to us, and are said to be unread.
        if (Bun.deepEquals(changed, honest)) expect(data.slice(at, at + 2)).toMatch(/aa|bb/)
        if (changed.kind === 'contract-call') expect(unread).toBe(true)
      }
    }
  })

  test.each([
    [
      'an address with something before it',
      `0xa9059cbb${'0'.repeat(23)}1${to.slice(2)}${'0'.repeat(64)}`,
    ],
    ['a truth of 2', call('setApprovalForAll', [to, true]).replace(/1$/, '2')],
  ])('%s is not read', (_what, data) => {
    expect(review({ to: token, data })).toMatchObject({ kind: 'contract-call', unread: true })
  })

  function call(functionName: string, args: readonly unknown[]) {
    return encodeFunctionData({ abi: abi as readonly unknown[], functionName, args } as never)
  }

  function review(json: Json): Intent {
    return eth.review(pendingOf(eth, json), own)
  }
})
