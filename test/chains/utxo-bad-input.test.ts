import { describe, expect, test } from 'bun:test'
import type { Chain } from '../../src/chains/chain.ts'
import { doge } from '../../src/chains/doge.ts'
import {
  faultOf,
  maxAmounts,
  pool,
  prepare,
  scriptOf,
  segwitChains,
  sign,
  type TestInput,
  type TestTx,
  transactionOf,
  uncompressed,
  utxoChains,
} from '../support/utxo.ts'

type Edited = Omit<TestTx, 'inputs' | 'outputs'> & {
  readonly inputs: [TestInput, TestInput]
  readonly outputs: [TestTx['outputs'][number]]
}
/** The answer, and the edits of a good transaction that are answered with it. */
type Faults = Readonly<Record<string, readonly ((tx: Edited) => unknown)[]>>

/** What is no whole number in its range; above 2^53 a JSON number stands for more than one. */
const notAmounts = [-1, 0.5, 1e-7, 2 ** 53, 2 ** 53 + 2, 1e300, '1', true, null, undefined, [1], {}]
const notUint32 = [2 ** 32, -1, 0.5, '2', true, null, []]

const malformed: Faults = {
  "transaction has an unknown member 'extra'": [tx => Object.assign(tx, { extra: 1 })],
  "transaction has an unknown member '__proto__'": [
    tx => Object.defineProperty(tx, '__proto__', { value: {}, enumerable: true }),
  ],
  "transaction has an unknown member 'constructor'": [
    tx => Object.assign(tx, { constructor: null }),
  ],
  "inputs[0] has an unknown member 'sighash'": [tx => Object.assign(tx.inputs[0], { sighash: 3 })],
  "inputs[0].output has an unknown member 'x'": [
    tx => Object.assign(tx.inputs[0].output, { x: 1 }),
  ],
  "outputs[0] has an unknown member 'address'": [
    tx => Object.assign(tx.outputs[0], { address: 'x' }),
  ],
  'inputs[0] is not a JSON object': [null, 0, 'x', []].map(
    input => tx => Object.assign(tx.inputs, { 0: input }),
  ),
  'inputs[0].output is not a JSON object': [[], null, undefined].map(
    output => tx => Object.assign(tx.inputs[0], { output }),
  ),
  'outputs[0] is not a JSON object': [tx => Object.assign(tx.outputs, { 0: 'x' })],
  'inputs is not a list with members': [[], { length: 1 }, null, undefined, 'x'].map(
    inputs => tx => Object.assign(tx, { inputs }),
  ),
  'outputs is not a list with members': [[], {}, null, undefined].map(
    outputs => tx => Object.assign(tx, { outputs }),
  ),
  'version is not a whole number of 32 bits': [...notUint32, undefined].map(
    version => tx => Object.assign(tx, { version }),
  ),
  'nLockTime is not a whole number of 32 bits': [...notUint32, undefined].map(
    nLockTime => tx => Object.assign(tx, { nLockTime }),
  ),
  'inputs[0].sequenceNumber is not a whole number of 32 bits': notUint32.map(
    sequenceNumber => tx => Object.assign(tx.inputs[0], { sequenceNumber }),
  ),
  'inputs[0].outputIndex is not a whole number of 32 bits': [...notUint32, undefined].map(
    outputIndex => tx => Object.assign(tx.inputs[0], { outputIndex }),
  ),
  'inputs[0].prevTxId is not 32 bytes of hex': ['aa', 'zz'.repeat(32), 1, null, undefined].map(
    prevTxId => tx => Object.assign(tx.inputs[0], { prevTxId }),
  ),
  'outputs[0].script is not hex': ['0x00', '0', ' 00', 'OP_TRUE', 0, null, undefined].map(
    script => tx => Object.assign(tx.outputs[0], { script }),
  ),
  'inputs[1].script is not text': [tx => Object.assign(tx.inputs[1], { script: 0 })],
  'inputs[1].scriptString is not text': [tx => Object.assign(tx.inputs[1], { scriptString: [] })],
  'hash is not 32 bytes of hex': [null, '', 'ab', 7].map(hash => tx => Object.assign(tx, { hash })),
  'fee is not a whole number': ['1', 0.5, 2 ** 53, null].map(
    fee => tx => Object.assign(tx, { fee }),
  ),
  'changeIndex is not a whole number of 32 bits': [-1, '0', null].map(
    changeIndex => tx => Object.assign(tx, { changeIndex }),
  ),
  'changeScript is not text': [[], 0, null].map(
    changeScript => tx => Object.assign(tx, { changeScript }),
  ),
}

const refused: Faults = {
  'inputs[1] is multisig, which is not signed here': [
    tx => Object.assign(tx.inputs[1], { publicKeys: [], threshold: 1 }),
    tx => Object.assign(tx.inputs[1], { publicKeys: [] }),
    tx => Object.assign(tx.inputs[1], { threshold: 1 }),
  ],
  'inputs[1].script is not empty, but the transaction is to be signed here': [
    tx => Object.assign(tx.inputs[1], { script: '00' }),
  ],
  'inputs[1].scriptString is not empty, but the transaction is to be signed here': [
    tx => Object.assign(tx.inputs[1], { scriptString: 'OP_TRUE' }),
  ],
  'inputs[1] spends an output a second time': [
    tx => Object.assign(tx.inputs[1], tx.inputs[0]),
    tx => Object.assign(tx.inputs[1], { outputIndex: 0, prevTxId: 'AA'.repeat(32) }),
  ],
  'the outputs hold more than the inputs': [
    tx => Object.assign(tx.outputs[0], { satoshis: 200_001 }),
  ],
  'hash is not the id of the transaction': [tx => Object.assign(tx, { hash: 'ab'.repeat(32) })],
  'fee is not what the inputs hold beyond the outputs': [
    tx => Object.assign(tx, { fee: 9_999 }),
    tx => Object.assign(tx, { fee: -20_000 }),
  ],
  'changeIndex names no output': [tx => Object.assign(tx, { changeIndex: 1 })],
  'changeScript is not the script of the output changeIndex names': [
    tx => Object.assign(tx, { changeIndex: 0, changeScript: 'OP_0' }),
  ],
  'the transaction is larger than 100000 bytes': [
    tx => Object.assign(tx.outputs[0], { script: '6a'.repeat(100_000) }),
  ],
  'input 1 belongs to none of the keys of this payment': [
    `76a914${'11'.repeat(20)}88ac`,
    `21${'02'.repeat(33)}ac`,
    // A key of ours, spelled the other way: its hash is another.
    scriptOf('p2pk', { publicKey: flipped(pool[0].publicKey) }),
  ].map(script => spending(script)),
  'input 1 is bare multisig, which is not signed here': [
    spending(`51${`21${'02'.repeat(33)}`.repeat(2)}52ae`),
  ],
  'input 1 is P2WSH, which is not signed here': [spending(`0020${'11'.repeat(32)}`)],
  'input 1 is taproot, which is not signed here': [spending(`5120${'11'.repeat(32)}`)],
  'input 1 has a script of an unknown form': [
    spending(scriptOf('p2pkh', pool[0]).replace('76a914', '76a94c14')),
    spending(''),
    spending('6a00'),
  ],
}

const refusedWithSegwit: Faults = {
  'input 1 belongs to none of the keys of this payment': [
    spending(`0014${'11'.repeat(20)}`),
    // BIP-143 allows compressed keys only.
    spending(scriptOf('p2wpkh', uncompressed)),
  ],
  'input 1 pays to a script that is not nested segwit of a key of this payment': [
    spending(`a914${'11'.repeat(20)}87`),
    spending(scriptOf('p2sh-p2wpkh', uncompressed)),
  ],
}

const refusedWithoutSegwit: Faults = {
  'input 1 is P2WPKH, which is not signed here': [spending(scriptOf('p2wpkh', pool[0]))],
  'input 1 is P2SH, which is not signed here': [spending(scriptOf('p2sh-p2wpkh', pool[0]))],
  'output 0 needs segwit, which this chain lacks': [
    scriptOf('p2wpkh', pool[0]),
    `0020${'11'.repeat(32)}`,
    `5120${'11'.repeat(32)}`,
    '60020000',
  ].map(script => tx => Object.assign(tx.outputs[0], { script })),
}

describe.each(utxoChains)('$id', chain => {
  const most = maxAmounts[chain.id] ?? 0

  test.each(Object.entries(malformed))('malformed: %s', (message, edits) => {
    expectFaults(chain, edits, ['transaction-malformed', message])
  })

  test.each(Object.entries(refused))('refused: %s', (message, edits) => {
    expectFaults(chain, edits, ['transaction-refused', message])
  })

  test('malformed: amounts that are none, or more than there can be', () => {
    for (const satoshis of [...notAmounts, most + 1]) {
      const paying = (tx: Edited) => Object.assign(tx.outputs[0], { satoshis })
      const spent = (tx: Edited) => Object.assign(tx.inputs[1].output, { satoshis })
      const message = `satoshis is not a whole number from 0 to ${most}`
      expectFaults(chain, [paying], ['transaction-malformed', `outputs[0].${message}`])
      expectFaults(chain, [spent], ['transaction-malformed', `inputs[1].output.${message}`])
    }
  })

  test.each(['', ' ', '{', 'null', '1', '"{}"', '[]', 'NaN', '\ufeff{}', '{}{}'])(
    'malformed: %p is no transaction',
    text => {
      const answer = ['transaction-malformed', 'transaction is not a JSON object'] as const
      expect(faultOf(() => prepare(chain, text))).toEqual(answer)
    },
  )

  test('malformed: an amount that stands twice, of which another reader may take the first', () => {
    const text = JSON.stringify(edited())
    const [amount = ''] = /"satoshis":\d+/.exec(text) ?? []
    expect(faultOf(() => prepare(chain, text.replace(amount, `"satoshis":1,${amount}`)))).toEqual([
      'transaction-malformed',
      'transaction is malformed: a member is given twice',
    ])
  })

  test('malformed: a payment of another chain', () => {
    const [other] = utxoChains.filter(({ id }) => id !== chain.id)
    if (other === undefined) throw new Error('no other chain')
    const pending = { id: '0', chain: other.id, hashes: [], signatures: [] }
    const own = { network: 'mainnet', keys: [] } as never
    const attempt = () => chain.review({ ...pending, serializedTransaction: '{}' }, own)
    expect(faultOf(attempt)[0]).toBe('transaction-malformed')
  })

  test('the largest amount is signed', () => {
    const tx = transactionOf(['p2pkh'])
    const [input] = tx.inputs
    if (input === undefined) throw new Error('no input')
    input.output.satoshis = most
    tx.outputs = [{ satoshis: most - 10_000, script: `76a914${'11'.repeat(20)}88ac` }]
    expect(sign(chain, tx).txId).toHaveLength(64)
  })

  test('what nothing depends on may be missing', () => {
    const tx = edited()
    for (const input of tx.inputs) {
      Reflect.deleteProperty(input, 'script')
      Reflect.deleteProperty(input, 'scriptString')
      Reflect.deleteProperty(input, 'sequenceNumber')
    }
    expect(sign(chain, tx)).toEqual(sign(chain, edited()))
  })
})

describe.each(segwitChains)('$id, which has segwit', chain => {
  test.each(Object.entries(refusedWithSegwit))('refused: %s', (message, edits) => {
    expectFaults(chain, edits, ['transaction-refused', message])
  })

  test('refused: inputs that together hold more than there can be', () => {
    const most = maxAmounts[chain.id] ?? 0
    const edit = (tx: Edited) => Object.assign(tx.inputs[1].output, { satoshis: most })
    const message = 'the inputs hold more than there can be'
    expectFaults(chain, [edit], ['transaction-refused', message])
  })
})

describe('DOGE, which has no segwit', () => {
  test.each(Object.entries(refusedWithoutSegwit))('refused: %s', (message, edits) => {
    expectFaults(doge, edits, ['transaction-refused', message])
  })

  test('pays scripts that only look like witness programs', () => {
    for (const script of [
      '00',
      '0014',
      `0014${'11'.repeat(21)}`,
      '0001ff',
      `50${'02'.repeat(3)}`,
    ]) {
      const tx = transactionOf(['p2pkh'])
      tx.outputs = [{ satoshis: 90_000, script }]
      expect(sign(doge, tx).txId).toHaveLength(64)
    }
  })
})

function expectFaults(
  chain: Chain,
  edits: readonly ((tx: Edited) => unknown)[],
  answer: readonly [code: string, message: string],
): void {
  for (const edit of edits) {
    const tx = edited()
    edit(tx)
    expect(faultOf(() => prepare(chain, tx))).toEqual(answer)
    expect(answer[1]).toMatch(/^[ -~]{10,120}$/)
  }
}

function edited(): Edited {
  const { inputs, outputs, ...rest } = transactionOf(['p2pkh', 'p2pk'])
  const [[first, second], [output]] = [inputs, outputs]
  if (first === undefined || second === undefined || output === undefined) {
    throw new Error('two inputs and an output were asked for')
  }
  return { ...rest, inputs: [first, second], outputs: [output] }
}

function spending(script: string): (tx: Edited) => unknown {
  return tx => Object.assign(tx.inputs[1].output, { script })
}

/** The compressed key with the other y. */
function flipped(publicKey: Uint8Array): Uint8Array {
  return Uint8Array.from(publicKey, (byte, i) => (i === 0 ? byte ^ 1 : byte))
}
