import fc from 'fast-check'
import type { Chain } from '../../src/chains/chain.ts'
import { spendableOn, type TestInput, type TestTx } from './utxo.ts'

type Change = (value: number) => boolean

const uint32 = fc.oneof(fc.nat(0xffffffff), fc.constantFrom(0, 0x7fffffff, 0x80000000, 0xffffffff))
const hexOf = (minLength: number, maxLength = minLength) =>
  fc.uint8Array({ minLength, maxLength }).map(bytes => Buffer.from(bytes).toString('hex'))

/** Scripts of all forms to pay to, ours among them, and ones that are none. */
export function outputScripts(chain: Chain): fc.Arbitrary<string> {
  const segwit = [hexOf(32).map(key => `5120${key}`), hexOf(0, 90)]
  return fc.oneof(
    fc.constantFrom(...spendableOn(chain).map(({ script }) => script)),
    hexOf(20).map(hash => `76a914${hash}88ac`),
    hexOf(1, 75).map(data => `6a${(data.length / 2).toString(16).padStart(2, '0')}${data}`),
    hexOf(0, 90).map(data => `6a${data}`),
    ...(chain.id === 'DOGE' ? [] : segwit),
  )
}

/** Any payment our keys can make. */
export function transactions(chain: Chain, maxInputs = 5): fc.Arbitrary<TestTx> {
  const input = fc.record({
    prevTxId: hexOf(32),
    outputIndex: uint32,
    sequenceNumber: uint32,
    satoshis: fc.integer({ min: 100_000, max: 10 ** 12 }),
    script: fc.constantFrom(...spendableOn(chain).map(({ script }) => script)),
  })
  const parts = fc.record({
    version: uint32,
    nLockTime: uint32,
    inputs: fc.uniqueArray(input, {
      minLength: 1,
      maxLength: maxInputs,
      selector: ({ prevTxId, outputIndex }) => `${prevTxId}:${outputIndex}`,
    }),
    scripts: fc.array(outputScripts(chain), { minLength: 1, maxLength: 5 }),
    fee: fc.nat(100_000),
  })
  return parts.map(({ version, nLockTime, inputs, scripts, fee }) => {
    const rest = inputs.reduce((sum, { satoshis }) => sum + satoshis, -fee)
    const share = Math.floor(rest / scripts.length)
    return {
      version,
      inputs: inputs.map(({ satoshis, script, ...outpoint }) => ({
        ...outpoint,
        script: '',
        scriptString: '',
        output: { satoshis, script },
      })),
      outputs: scripts.map((script, i) => ({
        satoshis: i === 0 ? rest - share * (scripts.length - 1) : share,
        script,
      })),
      nLockTime,
    }
  })
}

/**
 * One change per field, which answers whether it changed anything. The amounts and scripts of spent
 * outputs, which no hash covers, come first: two for each input.
 */
export function changesOf(tx: TestTx, chain: Chain): readonly Change[] {
  const scripts = spendableOn(chain).map(({ script }) => script)
  const number =
    <K extends string>(holder: Record<K, number>, member: K): Change =>
    value => {
      const before = holder[member]
      holder[member] = value
      return before !== value
    }
  const script =
    (holder: { script: string }): Change =>
    value => {
      const before = holder.script
      holder.script = scripts[value % scripts.length] ?? ''
      return before !== holder.script
    }
  const txId =
    (input: TestInput): Change =>
    value => {
      const before = input.prevTxId
      input.prevTxId = Buffer.alloc(32, value % 256).toString('hex')
      return before !== input.prevTxId
    }
  return [
    ...tx.inputs.flatMap(({ output }) => [number(output, 'satoshis'), script(output)]),
    ...tx.inputs.flatMap(input => [
      txId(input),
      number(input, 'outputIndex'),
      number(input, 'sequenceNumber'),
    ]),
    ...tx.outputs.flatMap(output => [number(output, 'satoshis'), script(output)]),
    number(tx, 'version'),
    number(tx, 'nLockTime'),
  ]
}
