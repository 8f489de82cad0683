import { describe, expect, test } from 'bun:test'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import fc from 'fast-check'
import { KmsError } from '../../src/base/errors.ts'
import type { Chain } from '../../src/chains/chain.ts'
import { decodeBitcoreJson } from '../../src/chains/family/utxo-json.ts'
import { ownScripts, type Spend } from '../../src/chains/family/utxo-script.ts'
import { readSigned } from '../../src/chains/family/utxo-signing.ts'
import type { UtxoTx } from '../../src/chains/family/utxo-tx.ts'
import { ltc } from '../../src/chains/ltc.ts'
import { readTransaction } from '../support/bitcoin-reader.ts'
import {
  faultOf,
  feeOf,
  outcome,
  own,
  pool,
  prepare,
  scriptOf,
  segwitChains,
  sign,
  signaturesFor,
  type TestTx,
  transactionOf,
  utxoChains,
} from '../support/utxo.ts'
import { transactions } from '../support/utxo-arbitraries.ts'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

const maxAmount = 10n ** 18n

describe.each(utxoChains)('signed bytes of $id', chain => {
  test('are read back, and any byte changed outside the signatures is noticed', () => {
    fc.assert(
      fc.property(
        transactions(chain),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (tx, at, mask) => {
          const { asked, spends } = readingOf(chain, tx)
          const { txData, ders } = signAll(chain, tx)
          expect(readSigned(txData, asked, spends)).toEqual(asked)
          const bytes = Buffer.from(txData, 'hex')
          const position = at % bytes.length
          // r and s are not verified here (DESIGN 2): only their form is.
          if (ders.some(der => isInside(txData, der, position))) return
          bytes[position] = (bytes[position] ?? 0) ^ mask
          const read = outcome(() => readSigned(bytes.toString('hex'), asked, spends))
          if (!(read instanceof KmsError)) expect(read).not.toEqual(asked)
        },
      ),
    )
  })

  test('are bounded in what they pay as a fee by their size', () => {
    const tx = transactionOf(['p2pkh', 'p2pk', 'p2pkh'])
    const size = sign(chain, tx).txData.length / 2
    const perByte = { BTC: 2_500, LTC: 2_500, DOGE: 4_000_000 }[chain.id] ?? 0
    const withFee = (fee: number): TestTx => {
      const inputs = tx.inputs.map(input => ({
        ...input,
        output: { ...input.output, satoshis: 10 ** 10 },
      }))
      const outputs = [{ satoshis: 3 * 10 ** 10 - fee, script: scriptOf('p2pkh', pool[0]) }]
      return { ...tx, inputs, outputs }
    }
    // Another fee means other signatures, each a byte or two shorter or longer in DER.
    const above = faultOf(() => sign(chain, withFee((size + 6) * perByte)))
    expect(above[0]).toBe('policy-denied')
    expect(above[1]).toMatch(/^fee of \d+ [A-Z]+ base units is above the limit of \d+$/)
    const below = withFee((size - 6) * perByte)
    expect(feeOf(below)).toBe((size - 6) * perByte)
    expect(sign(chain, below).txId).toHaveLength(64)
  })

  test('are not made of signatures that are too few, too many, too short or of high s', () => {
    const prepared = prepare(chain, transactionOf(['p2pkh']))
    const [good] = signaturesFor(prepared)
    if (good === undefined) throw new Error('nothing to sign')
    const { r, s } = secp256k1.Signature.fromBytes(good.bytes)
    const high = new secp256k1.Signature(r, secp256k1.Point.Fn.ORDER - s).toBytes()
    const zero = new Uint8Array(64)
    const bad = [[], [good.bytes.subarray(1)], [high], [zero], [good.bytes, good.bytes]]
    for (const signatures of bad) {
      const answers = signatures.map(bytes => ({ bytes, recovery: 0 }))
      expect(faultOf(() => prepared.seal(answers))[0]).toBe('unexpected')
    }
  })

  test('keep version, lock time and sequence numbers, whose JSON -0 is 0', () => {
    const plain = transactionOf(['p2pkh', 'p2pk'])
    const odd = { ...plain, version: 0xffffffff, nLockTime: 0x80000000 }
    odd.inputs = odd.inputs.map((input, i) => ({ ...input, sequenceNumber: i }))
    const read = readTransaction(sign(chain, odd).txData)
    expect([read.version, read.lockTime]).toEqual([0xffffffff, 0x80000000])
    expect(read.inputs.map(({ sequence }) => sequence)).toEqual([0, 1])
    const negative = JSON.stringify(plain).replace('"nLockTime":0', '"nLockTime":-0')
    expect(negative).not.toBe(JSON.stringify(plain))
    expect(sign(chain, negative)).toEqual(sign(chain, plain))
  })

  test('take a bounded time to make at the size limit', () => {
    const started = performance.now()
    expect(prepare(chain, spending(650)).requests.length).toBe(650)
    expect(performance.now() - started).toBeLessThan(5_000)
  })

  test('are not made when no node would relay them', () => {
    const [code, message] = faultOf(() => prepare(chain, spending(700)))
    expect(code).toBe('transaction-refused')
    expect(message).toMatch(/the signed transaction would have \d{6} bytes/)
  })
})

/** As large as `count` legacy inputs make it. */
function spending(count: number): TestTx {
  const { inputs, ...rest } = transactionOf(['p2pkh'])
  const satoshis = count * 100_000 - 10_000
  return {
    ...rest,
    inputs: Array.from({ length: count }, (_, outputIndex) => ({ ...inputs[0], outputIndex })),
    outputs: [{ satoshis, script: scriptOf('p2pkh', pool[1]) }],
  } as TestTx
}

describe.each(segwitChains)('signed bytes of $id are not accepted', chain => {
  const tx = transactionOf(['p2pkh', 'p2wpkh'])
  const { asked, spends } = readingOf(chain, tx)
  const { txData, ders } = signAll(chain, tx)
  const [legacy = '', segwit = ''] = ders
  const witness = `${pushed(segwit)}21${Buffer.from(pool[0].publicKey).toString('hex')}`

  test.each<[string, string]>([
    ['with trailing bytes', `${txData}00`],
    ['cut short', txData.slice(0, -2)],
    ['when they are not hex', 'zz'],
    ['when there are none', ''],
    ['with another hash type in a scriptSig', txData.replace(`${legacy}01`, `${legacy}02`)],
    ['with another hash type in a witness', txData.replace(`${segwit}01`, `${segwit}81`)],
    ['with one more item in a witness', txData.replace(`02${witness}`, `03${witness}00`)],
    ['with a high s', txData.replace(pushed(segwit), pushed(highS(segwit)))],
  ])('%s', (_, data) => {
    expect(data).not.toBe(txData)
    expect(outcome(() => readSigned(data, asked, spends))).toBeInstanceOf(KmsError)
  })

  test('unless they are exactly what was asked for', () => {
    expect(readSigned(txData, asked, spends)).toEqual(asked)
  })
})

test('a witness counts a quarter in the limit of the fee', () => {
  const legacy = limitOf(transactionOf(['p2pkh']))
  expect(limitOf(transactionOf(['p2wpkh']))).toBeLessThan(legacy - 2_500n * 70n)
  expect(limitOf(transactionOf(['p2sh-p2wpkh']))).toBeLessThan(legacy - 2_500n * 50n)

  /** What the refusal of a fee of one coin says. */
  function limitOf(tx: TestTx): bigint {
    const [input] = tx.inputs
    if (input === undefined) throw new Error('no input')
    input.output.satoshis = 10 ** 8
    return BigInt(faultOf(() => sign(ltc, tx))[1].replace(/.*limit of /, ''))
  }
})

function readingOf(chain: Chain, tx: TestTx): { asked: UtxoTx; spends: readonly Spend[] } {
  const versions = { p2pkh: 0, p2sh: 5, ...(chain.id !== 'DOGE' && { bech32: 'bc' }) }
  const ours = ownScripts(own.keys, versions)
  return {
    asked: decodeBitcoreJson(JSON.stringify(tx), maxAmount),
    spends: tx.inputs.flatMap(({ output }) => ours.get(output.script) ?? []),
  }
}

function signAll(chain: Chain, tx: TestTx): { txData: string; ders: readonly string[] } {
  const prepared = prepare(chain, tx)
  const signatures = signaturesFor(prepared)
  const ders = signatures.map(({ bytes }) => secp256k1.Signature.fromBytes(bytes).toHex('der'))
  return { txData: prepared.seal(signatures).txData, ders }
}

/** Whether byte `position` belongs to r or s of this DER signature. */
function isInside(txData: string, der: string, position: number): boolean {
  const at = position - txData.indexOf(der) / 2
  const rLength = Number.parseInt(der.slice(6, 8), 16)
  const isForm = at < 4 || at === 4 + rLength || at === 5 + rLength
  return at >= 0 && at < der.length / 2 && !isForm
}

/** A witness item: the signature and its hash type behind their length. */
function pushed(der: string): string {
  return `${(der.length / 2 + 1).toString(16)}${der}01`
}

function highS(der: string): string {
  const { r, s } = secp256k1.Signature.fromHex(der, 'der')
  return new secp256k1.Signature(r, secp256k1.Point.Fn.ORDER - s).toHex('der')
}
