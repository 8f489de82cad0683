import { describe, expect, test } from 'bun:test'
import type { ErrorCode } from '../../src/base/errors.ts'
import { sol } from '../../src/chains/sol.ts'
import { refusal } from '../support/refusal.ts'
import {
  alice,
  compile,
  encode,
  memo,
  ownOf,
  paymentOf,
  prepareSol,
  shop,
  signaturesOf,
  transfer,
} from '../support/sol-payments.ts'
import { ofBase58, systemProgram } from '../support/solana.ts'

const malformed = 'transaction-malformed'
const refused = 'transaction-refused'

const good = compile(alice.address, [transfer(alice.address, shop, 5n)])
const goodHex = good.toString('hex')

describe('text is refused', () => {
  const texts: readonly (readonly [text: string, code: ErrorCode, said: RegExp])[] = [
    ['', malformed, /not a JSON object/],
    ['{', malformed, /not a JSON object/],
    ['[]', malformed, /not a JSON object/],
    ['null', malformed, /not a JSON object/],
    [goodHex, malformed, /not a JSON object/],
    ['{}', malformed, /txData is not bytes in hex/],
    [json({ txData: null }), malformed, /txData is not bytes in hex/],
    [json({ txData: 5 }), malformed, /txData is not bytes in hex/],
    [json({ txData: [goodHex] }), malformed, /txData is not bytes in hex/],
    [json({ txData: `0x${goodHex}` }), malformed, /txData is not bytes in hex/],
    [json({ txData: goodHex.slice(1) }), malformed, /txData is not bytes in hex/],
    [json({ txData: good.toString('base64') }), malformed, /txData is not bytes in hex/],
    [json({ txData: '' }), malformed, /ends too early/],
    [json({ txData: goodHex, txdata: goodHex }), malformed, /unknown member 'txdata'/],
    [json({ txData: goodHex, feePayer: shop }), malformed, /unknown member 'feePayer'/],
    [json({ txData: goodHex, 'a b': 1 }), malformed, /unknown member$/],
    [`{"txData":"${goodHex}","__proto__":{}}`, malformed, /unknown member '__proto__'/],
    [`{"txData":"${goodHex}","txData":"${goodHex}"}`, malformed, /given twice/],
    [json({ txData: goodHex, mintPK: null }), malformed, /mintPK is not 64 bytes in hex/],
    [json({ txData: goodHex, mintPK: '' }), malformed, /mintPK is not 64 bytes in hex/],
    [json({ txData: goodHex, mintPK: '07'.repeat(32) }), malformed, /mintPK is not 64 bytes/],
    [json({ txData: goodHex, mintPK: alice.address }), malformed, /mintPK is not 64 bytes/],
    // A whole transaction, with the place of a signature in front.
    [json({ txData: `01${'00'.repeat(64)}${goodHex}` }), malformed, /message in txData/],
  ]

  test.each(texts)('%#: %s', (text, code, said) => {
    expect(() => sol.review(paymentOf(text), ownOf(alice))).toThrow(refusal(code, said))
  })
})

describe('a message is refused', () => {
  const accounts = [alice.address, shop, systemProgram].map(ofBase58)
  const steps = [{ program: 2, accounts: [0, 1], data: transfer(alice.address, shop, 5n).data }]
  const plain = { header: [1, 0, 1], accounts, steps }
  const [step] = steps as [(typeof steps)[number]]
  const end = 4 + 3 * 32 + 32

  const messages: readonly (readonly [name: string, Buffer, ErrorCode, RegExp])[] = [
    ['with a version', Buffer.concat([Buffer.of(0x80), good]), refused, /version \(v0\)/],
    ['that ends in its blockhash', good.subarray(0, end - 1), malformed, /ends too early/],
    ['without instructions', encode({ ...plain, steps: [] }), refused, /does nothing/],
    ['that ends in its last amount', good.subarray(0, -1), malformed, /ends too early/],
    [
      'with a byte behind its end',
      Buffer.concat([good, Buffer.of(0)]),
      malformed,
      /behind its end/,
    ],
    ['with a length in two bytes', spell(good, 3, [0x83, 0x00]), malformed, /spelled wrong/],
    ['with a length in four bytes', spell(good, 3, [0x83, 0x80, 0x80, 0]), malformed, /spelled/],
    ['with a length of 17 bits', spell(good, 3, [0xff, 0xff, 0x7f]), malformed, /spelled wrong/],
    ['with a length that is not there', spell(good, 3, [0xff, 0xff, 0x03]), malformed, /too early/],
    [
      'with more signers than accounts',
      encode({ ...plain, header: [3, 0, 1] }),
      malformed,
      /fewer/,
    ],
    ['without signers', encode({ ...plain, header: [0, 0, 1] }), malformed, /no signer/],
    [
      'with a payer that is only read',
      encode({ ...plain, header: [1, 1, 1] }),
      malformed,
      /no sign/,
    ],
    [
      'with an account twice',
      encode({ ...plain, accounts: [...accounts, ...accounts.slice(1, 2)] }),
      malformed,
      /names an account twice/,
    ],
    [
      'with a program that is not there',
      encode({ ...plain, steps: [{ ...step, program: 3 }] }),
      malformed,
      /account that it does not name/,
    ],
    [
      'whose payer is a program',
      encode({ ...plain, steps: [{ ...step, program: 0 }] }),
      malformed,
      /account that it does not name/,
    ],
    [
      'with an account that is not there',
      encode({ ...plain, steps: [{ ...step, accounts: [0, 3] }] }),
      malformed,
      /account that it does not name/,
    ],
    [
      'larger than a packet with its signature',
      compile(alice.address, [memo('m'.repeat(1_080), alice.address)]),
      malformed,
      /too large/,
    ],
  ]

  test.each(messages)('%s', (_name, message, code, said) => {
    expect(() => prepareSol(message, [alice])).toThrow(refusal(code, said))
  })

  test('and one that just fits is signed', () => {
    const prepared = prepareSol(compile(alice.address, [memo('m'.repeat(1_050))]), [alice])
    expect(prepared.seal(signaturesOf(prepared, [alice])).txData).toContain('@')
  })
})

function json(members: object): string {
  return JSON.stringify(members)
}

/** `message` with other bytes in the place of the one at `at`. */
function spell(message: Buffer, at: number, bytes: readonly number[]): Buffer {
  return Buffer.concat([message.subarray(0, at), Buffer.from(bytes), message.subarray(at + 1)])
}
