import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { KmsError } from '../../src/base/errors.ts'
import type { Prepared } from '../../src/chains/chain.ts'
import { sol } from '../../src/chains/sol.ts'
import { expectReasoned, hostileTexts, largeTexts } from '../support/hostile-text.ts'
import {
  alice,
  bob,
  compile,
  encode,
  initMint,
  makeAccount,
  makeMint,
  memo,
  mint,
  mintTo,
  newMint,
  ownOf,
  paymentOf,
  prepareSol,
  sendChecked,
  sendTokens,
  shop,
  signaturesOf,
  transfer,
  unitLimit,
  unitPrice,
} from '../support/sol-payments.ts'
import { associatedAccount, ofBase58, systemProgram } from '../support/solana.ts'

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)
fc.configureGlobal({ numRuns })

const wallets = [alice, bob]
const source = associatedAccount(bob.address, mint)
const account = associatedAccount(shop, mint)

/** Everything that is signed, in one message each. */
const messages = [
  [
    transfer(bob.address, shop, 5n),
    memo('for you', alice.address),
    unitLimit(9),
    unitPrice(9n),
    makeAccount(alice.address, shop, mint),
    sendTokens(source, account, bob.address, 5n),
    sendChecked(mint, source, account, bob.address, 5n),
  ],
  [
    makeMint(alice.address, newMint.address),
    initMint(newMint.address, alice.address, bob.address),
    makeAccount(alice.address, shop, newMint.address),
    mintTo(newMint.address, associatedAccount(shop, newMint.address), alice.address, 1n),
    memo('', bob.address),
  ],
].map(steps => compile(alice.address, steps))
const [payments, minting] = messages as [Buffer, Buffer]
const prepareBoth = (changed: readonly [Buffer, Buffer]) => [
  attempt(() => prepareSol(changed[0], wallets)),
  attempt(() => prepareSol(changed[1], wallets, newMint)),
]
const [goodPayments, goodMinting] = prepareBoth([payments, minting]) as [Prepared, Prepared]

describe('a message that is changed', () => {
  const change = fc.record({
    at: fc.nat(payments.length - 1),
    byte: fc.integer({ min: 1, max: 255 }),
  })

  test('in a byte is refused, or other bytes are signed than were', () => {
    const check = ({ at, byte }: { readonly at: number; readonly byte: number }) => {
      const changed = messages.map(message => {
        const copy = Buffer.from(message)
        const place = at % copy.length
        copy[place] = (copy[place] ?? 0) ^ byte
        return isPlaceholder(message, place) ? undefined : copy
      })
      const good = [goodPayments, goodMinting]
      for (const [i, prepared] of prepareBoth([
        changed[0] ?? payments,
        changed[1] ?? minting,
      ]).entries()) {
        if (changed[i] === undefined || prepared === undefined) continue
        expect(prepared.requests[0]?.message).not.toEqual(good[i]?.requests[0]?.message as never)
      }
    }
    fc.assert(fc.property(change, check), { numRuns: 10 * numRuns })
  })

  test('in its placeholder for the blockhash only is signed as it was', () => {
    const copy = Buffer.from(payments)
    copy.fill(0x77, placeholderOf(copy), placeholderOf(copy) + 32)
    expect(prepareSol(copy, wallets)).toEqual({ ...goodPayments, seal: expect.any(Function) })
  })

  test('in whom it pays or how much has another intent', () => {
    const number = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
    const wallet = fc.constantFrom(shop, mint, bob.address, account)
    const part = fc.tuple(wallet, wallet, number)
    const told = ([to, of, amount]: readonly [string, string, bigint]) => {
      const owned = associatedAccount(to, of)
      const steps = [
        transfer(bob.address, to, amount),
        makeAccount(alice.address, to, of),
        sendChecked(of, associatedAccount(bob.address, of), owned, bob.address, amount),
      ]
      return sol.review(paymentOf(compile(alice.address, steps)), ownOf(...wallets))
    }
    const check = (one: [string, string, bigint], two: [string, string, bigint]) => {
      expect(Bun.deepEquals(told(one), told(two))).toBe(Bun.deepEquals(one, two))
    }
    fc.assert(fc.property(part, part, check))
  })
})

describe('signed bytes', () => {
  test('are not given out when they do not say what was asked', () => {
    const signatures = signaturesOf(goodPayments, wallets)
    expect(goodPayments.seal(signatures).txData).toEndWith('@1150@2000')
    for (const odd of [[], signatures.slice(1), [...signatures, ...signatures]]) {
      expect(() => goodPayments.seal(odd)).toThrow(KmsError)
    }
  })
})

describe('whatever comes', () => {
  const good = { txData: minting.toString('hex'), mintPK: newMint.pair.toString('hex') }
  const own = ownOf(...wallets)

  test('as text is read or refused with a sentence', () => {
    const check = (text: string) => expectReasoned(sol, own, text)
    fc.assert(fc.property(hostileTexts(good, ['txData', 'mintPK', 'feePayer']), check))
  })

  test.each(largeTexts(good, 'txData').map((text, i) => [i, text] as const))(
    'as half a megabyte (%d) is refused at once',
    (_i, text) => expectReasoned(sol, own, text),
  )

  test('as bytes is read or refused with a sentence', () => {
    const cut = fc.nat(minting.length).map(length => minting.subarray(0, length))
    const odd = fc.uint8Array({ maxLength: 1_232 }).map(bytes => Buffer.from(bytes))
    const behind = fc.tuple(cut, odd).map(parts => Buffer.concat([...parts]))
    const check = (bytes: Buffer) =>
      expectReasoned(sol, own, JSON.stringify({ ...good, txData: bytes.toString('hex') }))
    fc.assert(fc.property(fc.oneof(cut, odd, behind), check))
  })

  test('that makes us look for as many token accounts as fit is told at once', () => {
    const mints = Array.from({ length: 12 }, (_, i) => new Uint8Array(32).fill(i + 1))
    const accounts = [alice.address, systemProgram].map(ofBase58)
    const token = ofBase58('TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA')
    const data = Buffer.from([12, ...new Uint8Array(9)])
    const steps = Array.from({ length: 33 }, (_, i) => ({
      program: 2,
      accounts: [1, 3 + (i % 12), 1, 0],
      data,
    }))
    const message = encode({ header: [1, 0, 13], accounts: [...accounts, token, ...mints], steps })
    expectReasoned(sol, ownOf(alice), JSON.stringify({ txData: message.toString('hex') }))
    expect(prepareSol(message, [alice]).intent.outputs).toHaveLength(33)
  })
})

function attempt<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(KmsError)
    return undefined
  }
}

function placeholderOf(message: Buffer): number {
  return 4 + 32 * (message[3] ?? 0)
}

function isPlaceholder(message: Buffer, at: number): boolean {
  return at >= placeholderOf(message) && at < placeholderOf(message) + 32
}
