import { describe, expect, test } from 'bun:test'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { decode, encodeAccountID, verifySignature } from 'xrpl'
import { KmsError } from '../../src/base/errors.ts'
import type { Json } from '../support/evm.ts'
import {
  anyTransaction,
  issuedAmount,
  payment,
  prepare,
  sign,
  signByLibrary,
  transactionsByType,
  wallets,
} from '../support/xrp.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

const anyWallet = fc.constantFrom(...wallets)

describe('any transaction', () => {
  test('is signed as xrpl signs it, with keys of both curves', () => {
    fc.assert(
      fc.property(anyTransaction, anyWallet, (unsigned, by) => {
        const tx = { ...unsigned, Account: by.classicAddress }
        expect(sign(tx, by)).toEqual(signByLibrary(tx, by))
      }),
    )
  })

  // The signature is put behind the key, wherever else there are bytes that look like it.
  test.each(wallets)('that has the key of its wallet in a memo or an issuer is, too', by => {
    const field = `7321${by.publicKey}`
    const Memos = [{ Memo: { MemoData: `00${field}${field}` } }]
    const account = Buffer.from(field.slice(40).padEnd(40, '0'), 'hex')
    const Amount = { currency: field.slice(0, 40), value: '1', issuer: encodeAccountID(account) }
    for (const part of [{ Memos }, { Amount }, { Amount, Memos }]) {
      const tx = { ...payment, Account: by.classicAddress, ...part }
      expect(sign(tx, by)).toEqual(signByLibrary(tx, by))
    }
  })

  test('is read by xrpl as what was asked for, with a signature that verifies', () => {
    fc.assert(
      fc.property(anyTransaction, anyWallet, (unsigned, by) => {
        const tx = { ...unsigned, Account: by.classicAddress }
        const { txData } = sign(tx, by)
        const { SigningPubKey, TxnSignature: _, ...read } = decode(txData)
        expect(isDeepStrictEqual(read, withPlainValues(tx))).toBe(true)
        expect(SigningPubKey).toBe(by.publicKey)
        expect(verifySignature(txData)).toBe(true)
      }),
    )
  })

  test('means the same with hex in small letters and its members in another order', () => {
    fc.assert(
      fc.property(anyTransaction, tx => {
        const lower = JSON.stringify(tx).replaceAll(/"[0-9A-F]{40,}"/g, text => text.toLowerCase())
        const turned = Object.fromEntries(Object.entries(JSON.parse(lower)).toReversed())
        expect(meaning(turned)).toEqual(meaning(tx))
      }),
    )
  })
})

describe.each(Object.entries(transactionsByType))('one member of any %s', (_, transaction) => {
  /** What an intent does not tell: until when it is valid, and a flag without a meaning. */
  const untold = ['LastLedgerSequence', 'Flags']

  test('taken from another one changes what people see', () => {
    fc.assert(
      fc.property(transaction, transaction, fc.nat(), (tx, other, at) => {
        const names = Object.keys({ ...tx, ...other })
        const name = names[at % names.length] ?? ''
        if (isDeepStrictEqual(tx[name], other[name])) return
        const { [name]: _, ...without } = tx
        const changed = name in other ? { ...tx, [name]: other[name] } : without
        const [before, after] = [meaning(tx), meaning(changed)]
        if (after === 'refused' || before === 'refused') throw new Error('it is a good one')
        expect(after.messages).not.toEqual(before.messages)
        if (untold.includes(name)) return
        expect([after.intent, after.claims]).not.toEqual([before.intent, before.claims])
      }),
    )
  })

  test('replaced by anything is refused or changes what is signed', () => {
    fc.assert(
      fc.property(transaction, fc.nat(), fc.jsonValue(), (tx, at, value) => {
        const names = [...Object.keys(tx), 'Paths', 'TxnSignature', 'TicketSequence', 'Signers']
        const changed = { ...tx, [names[at % names.length] ?? '']: value }
        if (JSON.stringify(changed) === JSON.stringify(tx)) return
        expect(meaning(changed)).not.toEqual(meaning(tx))
      }),
    )
  })
})

test('an issued amount is the same number in the intent', () => {
  fc.assert(
    fc.property(issuedAmount, Amount => {
      const [output] = prepare({ ...payment, Amount }).intent.outputs
      const [whole = '', fraction = ''] = Amount.value.split('.')
      // 10^-96 is the last digit that any amount can have.
      expect(output?.amount).toBe(BigInt(`${whole}${fraction.padEnd(96, '0')}`))
    }),
  )
})

type Meaning = Pick<ReturnType<typeof prepare>, 'intent' | 'claims'> & { messages: unknown }

function meaning(json: Json): Meaning | 'refused' {
  try {
    const { intent, claims, requests } = prepare(json)
    return { intent, claims, messages: requests }
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(KmsError)
    return 'refused'
  }
}

/** The ledger has no zeros at the end of a number. */
function withPlainValues(json: Json): Json {
  const text = JSON.stringify(json)
  const plain = text.replaceAll(/("value":"\d+\.\d*?)0*"/g, '$1"').replaceAll('."', '"')
  return JSON.parse(plain)
}
