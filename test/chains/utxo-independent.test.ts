import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { readTransaction } from '../support/bitcoin-reader.ts'
import { verifySpend } from '../support/bitcoin-spends.ts'
import { recordedCases } from '../support/recorded-cases.ts'
import { verifyEcdsa } from '../support/secp256k1.ts'
import {
  feeOf,
  hashOf,
  own,
  pendingOf,
  sign,
  spendableOn,
  type TestTx,
  transactionOf,
  utxoChains,
} from '../support/utxo.ts'
import { transactions } from '../support/utxo-arbitraries.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

/** Every field and every signature, to a reader that shares no code with the one who wrote them. */
function expectSays(txData: string, tx: TestTx): void {
  const read = readTransaction(txData)
  expect({ version: read.version, lockTime: read.lockTime, outputs: read.outputs }).toEqual({
    version: tx.version,
    lockTime: tx.nLockTime,
    outputs: tx.outputs.map(({ satoshis, script }) => ({ amount: BigInt(satoshis), script })),
  })
  expect(read.inputs.map(({ txId, index, sequence }) => [txId, index, sequence])).toEqual(
    tx.inputs.map(input => [input.prevTxId, input.outputIndex, input.sequenceNumber]),
  )
  for (const [i, { output }] of tx.inputs.entries()) {
    verifySpend(read, i, { amount: BigInt(output.satoshis), script: output.script })
  }
}

describe.each(utxoChains)('$id', chain => {
  test('any transaction says and proves what was asked, to a reader made from the BIPs', () => {
    fc.assert(
      fc.property(transactions(chain, 3), tx => {
        const { txData, txId } = sign(chain, { ...tx, hash: hashOf(tx), fee: feeOf(tx) })
        expectSays(txData, tx)
        expect(readTransaction(txData).txId).toBe(txId)
      }),
    )
  })

  test('each form an output of ours can have is spent, with compressed and uncompressed keys', () => {
    const [first] = transactionOf(['p2pkh']).inputs
    if (first === undefined) throw new Error('no input')
    const inputs = spendableOn(chain).map(({ script }, outputIndex) => ({
      ...first,
      outputIndex,
      output: { satoshis: 100_000, script },
    }))
    const tx = { ...transactionOf(['p2pkh']), inputs }
    tx.outputs = [{ satoshis: 90_000 * inputs.length, script: `76a914${'11'.repeat(20)}88ac` }]
    const { txData } = sign(chain, tx)
    expectSays(txData, tx)
    expect(inputs.length).toBe(chain.id === 'DOGE' ? 8 : 14)
    expect(readTransaction(txData).hasWitness).toBe(chain.id !== 'DOGE')
  })

  test('a fee that no output shows is what the inputs hold beyond the outputs', () => {
    fc.assert(
      fc.property(transactions(chain), tx => {
        const { fee } = chain.review(pendingOf(chain, tx), own)
        expect(fee).toEqual({ amount: BigInt(feeOf(tx)), asset: chain.id })
      }),
    )
  })
})

describe('the reader is strict: it refuses', () => {
  const tx = transactionOf(['p2pk', 'p2pkh', 'p2wpkh', 'p2sh-p2wpkh'])
  const [chain] = utxoChains
  const { txData } = sign(chain, tx)

  test.each([0, 1, 2, 3])('input %d with any of its bytes changed', at => {
    const read = readTransaction(txData)
    const spent = { amount: 100_000n, script: tx.inputs[at]?.output.script ?? '' }
    const input = read.inputs[at]
    if (input === undefined) throw new Error('no input')
    expect(() => verifySpend(read, at, spent)).not.toThrow()
    for (const part of [input.scriptSig, ...input.witness]) {
      for (const position of part.keys()) {
        part[position] = (part[position] ?? 0) ^ 1
        expect(() => verifySpend(read, at, spent)).toThrow()
        part[position] = (part[position] ?? 0) ^ 1
      }
    }
  })

  test.each([2, 3])('input %d, of segwit, with another amount than was spent', at => {
    const script = tx.inputs[at]?.output.script ?? ''
    const spent = { amount: 100_001n, script }
    expect(() => verifySpend(readTransaction(txData), at, spent)).toThrow('does not verify')
  })

  test('bytes with more or fewer than one transaction', () => {
    expect(() => readTransaction(`${txData}00`)).toThrow('more bytes than one transaction')
    expect(() => readTransaction(txData.slice(0, -2))).toThrow('cut short')
  })
})

// BIP-143 prints this signature of a P2WPKH input with its digest and key.
test('the arithmetic verifies a signature that BIP-143 prints, and no other digest', () => {
  const signature = {
    r: 0x3609e17b_84f6a7d3_0c80bfa6_10b5b454_2f32a8a0_d5447a12_fb1366d7_f01cc44an,
    s: 0x573a954c_45183315_61406f90_300e8f33_58f51928_d43c212a_8caed02d_e67eebeen,
  }
  const digest = Buffer.from(
    'c37af31116d1b27caf68aae9e3ac82f1477929014d5b917657d0eb49478cb670',
    'hex',
  )
  const key = Buffer.from(
    '025476c2e83188368da1ff3e292e7acafcdb3566bb0ad253f62fc70f07aeee6357',
    'hex',
  )
  expect(verifyEcdsa(signature, digest, key)).toBe(true)
  expect(verifyEcdsa(signature, digest.toReversed(), key)).toBe(false)
})

test('the recorded bytes of the original are read and verified, too', () => {
  const signed = utxoChains
    .flatMap(({ id }) => recordedCases(id))
    .filter(({ expected }) => expected.txData !== undefined)
  expect(signed.length).toBeGreaterThan(30)
  for (const { pending, expected } of signed) {
    const asked: TestTx = JSON.parse(pending.serializedTransaction)
    const inputs = asked.inputs.map(input => ({
      ...input,
      sequenceNumber: input.sequenceNumber ?? 0xffffffff,
    }))
    expectSays(expected.txData ?? '', { ...asked, inputs })
  }
})
