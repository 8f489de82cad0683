import { describe, expect, test } from 'bun:test'
import { Keypair, type Operation } from '@stellar/stellar-base'
import fc from 'fast-check'
import { KmsError } from '../../src/base/errors.ts'
import type { Network } from '../../src/base/model.ts'
import { xlm } from '../../src/chains/xlm.ts'
import {
  build,
  networks,
  ownOf,
  prepare,
  readBack,
  sign,
  signByLibrary,
  source,
  wanted,
} from '../support/xlm.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

const network = fc.constantFrom(...networks)

describe('any transaction', () => {
  test('is signed as stellar-base signs it', () => {
    fc.assert(
      fc.property(wanted, network, (parts, on) => {
        const tx = build(parts, on)
        expect(sign(tx.toXDR(), on)).toEqual(signByLibrary(tx))
      }),
    )
  })

  test('is read by stellar-base as what was asked for, with a signature that verifies', () => {
    fc.assert(
      fc.property(wanted, network, (parts, on) => {
        const asked = build(parts, on)
        const { txData, txId } = sign(asked.toXDR(), on)
        const read = readBack(txData, on)
        expect(contents(read)).toEqual(contents(asked))
        expect(read.hash().toString('hex')).toBe(txId)
        const [signature] = read.signatures
        const isValid = Keypair.fromPublicKey(source).verify(
          read.hash(),
          signature?.signature() ?? Buffer.alloc(0),
        )
        expect(isValid).toBe(true)
      }),
    )
  })

  test('is told in its intent as stellar-base reads it', () => {
    fc.assert(
      fc.property(wanted, parts => {
        const tx = build(parts)
        const { intent, claims } = prepare(tx.toXDR())
        expect(intent.outputs.map(({ amount, asset }) => `${amount} ${asset}`)).toEqual(
          tx.operations.map(spell),
        )
        expect(intent).toMatchObject({
          from: [source],
          fee: { amount: BigInt(tx.fee), asset: 'XLM' },
          expiry: Number(parts.maxTime) * 1000,
        })
        expect(claims).toEqual([`sequence/${source}/${parts.sequence}`])
      }),
    )
  })

  test('has another hash on the other network', () => {
    fc.assert(
      fc.property(wanted, parts => {
        const envelope = build(parts).toXDR()
        const [one, other] = networks.map(on => prepare(envelope, on).requests[0]?.message)
        expect(one).not.toEqual(other)
      }),
    )
  })
})

describe('one thing taken from another transaction', () => {
  const parts = ['operations', 'memo', 'fee', 'sequence', 'maxTime', 'minTime'] as const

  test.each(parts)('%s: changes what people see', name => {
    fc.assert(
      fc.property(wanted, wanted, (one, other) => {
        const envelopes = [one, { ...one, [name]: other[name] }].map(some => build(some).toXDR())
        const [before = '', after = ''] = envelopes
        if (before === after) return
        expect(messageOf(after)).not.toEqual(messageOf(before))
        // From when on it is valid is no part of what it does.
        expect(meaning(after)).not.toEqual(meaning(before))
      }),
    )
  })
})

test('a bit changed anywhere is refused or changes what is signed', () => {
  const position = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  fc.assert(
    fc.property(wanted, position, fc.nat(7), (parts, where, bit) => {
      const envelope = build(parts).toXDR()
      const bytes = Buffer.from(envelope, 'base64')
      const at = Math.floor(where * bytes.length)
      bytes[at] = (bytes[at] ?? 0) ^ (1 << bit)
      expect(messageOf(bytes.toString('base64'))).not.toEqual(messageOf(envelope))
    }),
  )
})

function messageOf(envelope: string, on: Network = 'mainnet'): unknown {
  return orRefused(() => prepare(envelope, on).requests)
}

function meaning(envelope: string): unknown {
  return orRefused(() => {
    const { intent, claims } = prepare(envelope)
    return { intent, claims }
  })
}

function orRefused(work: () => unknown): unknown {
  try {
    return work()
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(KmsError)
    return 'refused'
  }
}

function contents({
  source: by,
  sequence,
  fee,
  timeBounds,
  operations,
  memo,
}: ReturnType<typeof build>) {
  return { by, sequence, fee, timeBounds, operations, memo: memo.toXDRObject().toXDR('hex') }
}

/** Amount and asset of an operation, by its class. */
function spell(operation: Operation): string {
  const plain = (amount: string): bigint => BigInt(amount.replace('.', ''))
  switch (operation.type) {
    case 'payment': {
      const { amount, asset } = operation
      return `${plain(amount)} ${asset.isNative() ? 'XLM' : `XLM:${asset.code}.${asset.issuer}`}`
    }
    case 'createAccount':
      return `${plain(operation.startingBalance)} XLM`
    case 'changeTrust': {
      const { line, limit } = operation
      if (!('code' in line)) throw new Error('no asset')
      return `${plain(limit)} XLM:${line.code}.${line.issuer}`
    }
    default:
      throw new Error(operation.type)
  }
}

test('the address of any key is the one of stellar-base', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), seed => {
      const other = Keypair.fromRawEd25519Seed(Buffer.from(seed))
      for (const on of networks) {
        const [publicKey] = ownOf(on, other).keys
        if (publicKey === undefined) throw new Error('no key')
        expect(xlm.address(publicKey, on)).toBe(other.publicKey())
      }
    }),
  )
})
