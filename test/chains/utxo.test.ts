import { describe, expect, test } from 'bun:test'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { HDKey } from '@scure/bip32'
import { mnemonicToSeedSync } from '@scure/bip39'
import { OutScript, Script, Transaction } from '@scure/btc-signer'
import { hash160, sha256x2 } from '@scure/btc-signer/utils.js'
import fc from 'fast-check'
import { fromHex, hex } from '../../src/base/bytes.ts'
import { KmsError } from '../../src/base/errors.ts'
import type { KeyRef, Network, PendingTx, PublicKey, Signature } from '../../src/base/model.ts'
import { btc } from '../../src/chains/btc.ts'
import type { Own, Prepared } from '../../src/chains/chain.ts'
import { utxoChain } from '../../src/chains/family/utxo.ts'
import { decodeBitcoreJson } from '../../src/chains/family/utxo-json.ts'
import { describeScript, ownScripts } from '../../src/chains/family/utxo-script.ts'
import { readSigned } from '../../src/chains/family/utxo-signing.ts'
import vectors from '../vectors/sign/BTC.json'
import wallets from '../vectors/wallets.json'

fc.configureGlobal({ numRuns: Number(process.env['FC_NUM_RUNS'] ?? 100) })

type TestKey = { readonly secret: Uint8Array; readonly publicKey: Uint8Array }
type Vector = (typeof vectors)[number]
type VectorWallet = { readonly privateKey?: string; readonly mnemonic?: string }
type Form = 'p2pk' | 'p2pkh' | 'p2wpkh' | 'p2sh-p2wpkh'
type TestTx = ReturnType<typeof transactionOf>
type TestInput = TestTx['inputs'][number]

const maxAmount = 21n * 10n ** 14n
const addresses = { p2pkh: 0x00, p2sh: 0x05, bech32: 'bc' }
const forms = ['p2pk', 'p2pkh', 'p2wpkh', 'p2sh-p2wpkh'] as const satisfies readonly Form[]

const pool = [testKey(1), testKey(2), testKey(3)] as const
const uncompressed = testKey(4, false)
const allKeys: readonly TestKey[] = [...pool, uncompressed]
const secrets = allKeys.map(({ secret }) => secret)
const own: Own = { network: 'mainnet', keys: allKeys.map(({ publicKey }) => publicOf(publicKey)) }
const spendable = [
  ...pool.flatMap(key => forms.map(form => ({ key, form, script: scriptOf(form, key) }))),
  ...(['p2pk', 'p2pkh'] as const).map(form => ({
    key: uncompressed,
    form,
    script: scriptOf(form, uncompressed),
  })),
]
/** Parses everything and judges nothing: the other library as a plain reader. */
const lenient = {
  allowUnknownInputs: true,
  allowUnknownOutputs: true,
  allowUnknownVersion: true,
  disableScriptCheck: true,
}

const uint32 = fc.oneof(fc.nat(0xffffffff), fc.constantFrom(0, 0x7fffffff, 0x80000000, 0xffffffff))
const outputScript = fc.oneof(
  fc.constantFrom(...spendable.map(({ script }) => script)),
  fc.uint8Array({ minLength: 20, maxLength: 20 }).map(hash => `76a914${hex(hash)}88ac`),
  fc.uint8Array({ minLength: 32, maxLength: 32 }).map(key => `5120${hex(key)}`),
  fc.uint8Array({ minLength: 1, maxLength: 75 }).map(data => hex(Script.encode(['RETURN', data]))),
  fc.uint8Array({ maxLength: 90 }).map(hex),
)
const anyTransaction = fc
  .record({
    version: uint32,
    nLockTime: uint32,
    inputs: fc.uniqueArray(
      fc.record({
        prevTxId: fc.uint8Array({ minLength: 32, maxLength: 32 }).map(hex),
        outputIndex: uint32,
        sequenceNumber: uint32,
        satoshis: fc.integer({ min: 100_000, max: 10 ** 12 }),
        script: fc.constantFrom(...spendable.map(({ script }) => script)),
      }),
      { minLength: 1, maxLength: 5, selector: input => `${input.prevTxId}:${input.outputIndex}` },
    ),
    scripts: fc.array(outputScript, { minLength: 1, maxLength: 5 }),
    fee: fc.nat(100_000),
  })
  .map(({ version, nLockTime, inputs, scripts, fee }) => {
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
const replacement = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom<unknown>(undefined, null, -0, -1, 0.5, 2 ** 53, 1e308, '', '0', '00', [], {}),
)

describe('recorded cases', () => {
  const signed = vectors.filter(({ expected }) => expected.outcome === 'signed')
  const refused = vectors.filter(({ expected }) => expected.outcome === 'refused')

  test.each(signed.map(vector => [name(vector), vector] as const))(
    '%s is signed byte for byte',
    (_, vector) => {
      const pending = pendingOf(vector)
      const { txData } = signWith(...resolve(pending, vector))
      expect<string | undefined>(txData).toBe(vector.expected.txData)
      const { path, body } = btc.broadcast(pending, txData)
      expect<unknown>({ path, body }).toEqual(vector.expected.broadcast)
    },
  )

  // What we answer instead of signing; `wrong-key` is the one the original broadcasts unsigned.
  const answers: Readonly<Record<string, string>> = {
    'hash-mismatch': 'hash is not the id of the transaction',
    'wrong-key': 'input 0 belongs to none of the keys of this payment',
    'offchain-no-withdrawalResponses':
      'the withdrawal names no wallet or does not say which deposits it spends',
    'taproot-input': 'input 0 is taproot, which is not signed here',
  }
  const byChain = refused.filter(({ case: title }) => title !== 'mnemonic-without-index')

  test.each(byChain.map(vector => [name(vector), vector] as const))(
    '%s is refused',
    (_, vector) => {
      const answer = answers[vector.case]
      if (answer === undefined) throw new Error(`no answer is written down for ${vector.case}`)
      const attempt = () => signWith(...resolve(pendingOf(vector), vector))
      expect(attempt).toThrow(new KmsError('transaction-refused', answer))
      expect(codeOf(attempt)).toBe('transaction-refused')
    },
  )

  test('a mnemonic wallet named without an index stays without one, for the signer to refuse', () => {
    const vector = refused.find(({ case: title }) => title === 'mnemonic-without-index')
    if (vector === undefined) throw new Error('the case is gone')
    const keys = btc.keys(pendingOf(vector))
    expect(keys).toEqual([{ signatureId: keys[0]?.signatureId ?? '' }])
    expect(walletsOf(vector).get(keys[0]?.signatureId ?? '')?.mnemonic).toBeString()
  })
})

test('addresses are those the original prints for the same mnemonic and index', () => {
  const entries = wallets.filter(({ chain }) => chain === 'BTC')
  expect(entries.length).toBeGreaterThan(0)
  for (const { mnemonic, testnet, derived } of entries) {
    const network = testnet ? 'testnet' : 'mainnet'
    for (const { index, address } of derived ?? []) {
      const { publicKey } = derive(mnemonic ?? '', network, Number(index))
      expect(btc.address(publicOf(publicKey), network)).toBe(String(address))
    }
  }
})

describe('keys', () => {
  const [a, b] = ['63dde41a-ad9c-4b4b-a697-16af06cd976c', '13d5017a-6627-45f8-a85d-181f4836bdcb']
  const input = { vIn: 'aa'.repeat(32), vInIndex: 0 }
  const offchain = { hashes: [a], withdrawalId: 'de4229c9fca2088950347f28' }

  test.each<[string, Partial<PendingTx>, readonly KeyRef[]]>([
    ['repeated hashes name one key', { hashes: [a, a] }, [{ signatureId: a }]],
    [
      'an id with an index is not used without it, and comes after the others',
      {
        hashes: [b, a],
        signatures: [
          { id: b, index: 3 },
          { id: b, index: 0 },
          { id: b, index: 3 },
        ],
      },
      [{ signatureId: a }, { signatureId: b, index: 3 }, { signatureId: b, index: 0 }],
    ],
    [
      'a withdrawal uses the first wallet, index 0 where none is given, and no key for change',
      {
        ...offchain,
        hashes: [a, b],
        withdrawalResponses: [
          { vIn: '-1', derivationKey: 9 },
          { ...input, derivationKey: 5 },
          input,
          input,
        ],
      },
      [
        { signatureId: a, index: 5 },
        { signatureId: a, index: 0 },
      ],
    ],
  ])('%s', (_, change, keys) => {
    expect(btc.keys(pending('', change))).toEqual([...keys])
  })

  test.each<[string, Partial<PendingTx>]>([
    ['no hashes', {}],
    ['a withdrawal without responses', offchain],
    ['a withdrawal without wallet', { ...offchain, hashes: [], withdrawalResponses: [input] }],
    ['a withdrawal that spends nothing', { ...offchain, withdrawalResponses: [{ vIn: '-1' }] }],
  ])('%s is refused', (_, change) => {
    expect(codeOf(() => btc.keys(pending('', change)))).toBe('transaction-refused')
  })
})

describe('any transaction of ours', () => {
  test('says the same to another library, with signatures over what that library hashes', () => {
    fc.assert(
      fc.property(anyTransaction, tx => {
        const fee = tx.inputs.reduce((sum, { output }) => sum + output.satoshis, 0) - paid(tx)
        const serialized = JSON.stringify({ ...tx, hash: unsignedId(tx), fee })
        const { txData, txId } = signWith(pending(serialized), own, secrets)
        const parsed = Transaction.fromRaw(bytesOf(txData), lenient)
        expect([parsed.id, parsed.version, parsed.lockTime]).toEqual([
          txId,
          tx.version | 0,
          tx.nLockTime,
        ])
        expect(parsed.hasWitnesses).toBe(txData.slice(8, 12) === '0001')
        for (const [i, output] of tx.outputs.entries()) {
          const { amount, script } = parsed.getOutput(i)
          expect([Number(amount), hex(script ?? new Uint8Array())]).toEqual([
            output.satoshis,
            output.script,
          ])
        }
        expect(parsed.outputsLength).toBe(tx.outputs.length)
        expect(parsed.inputsLength).toBe(tx.inputs.length)
        for (const [i, input] of tx.inputs.entries()) expectSignedInput(parsed, i, input)
      }),
    )
  })

  test('is told apart from the same with one field changed, or the change is refused', () => {
    fc.assert(
      fc.property(anyTransaction, fc.nat(), fc.nat(0xffffffff), (tx, where, value) => {
        const changed = structuredClone(tx)
        const fields = fieldsOf(changed)
        const change = fields[where % fields.length]
        if (change === undefined || !change(value)) return
        const after = outcome(() => everythingAbout(changed))
        if (!(after instanceof KmsError)) expect(after).not.toEqual(everythingAbout(tx))
      }),
    )
  })

  test('with a declared hash, no field the hash covers can be changed', () => {
    fc.assert(
      fc.property(anyTransaction, fc.nat(), fc.nat(0xffffffff), (tx, where, value) => {
        const changed = structuredClone(tx)
        const covered = fieldsOf(changed).slice(2 * tx.inputs.length)
        const change = covered[where % covered.length]
        if (change === undefined || !change(value)) return
        const serialized = JSON.stringify({ ...changed, hash: unsignedId(tx) })
        expect(outcome(() => prepare(serialized, own))).toBeInstanceOf(KmsError)
      }),
    )
  })

  test('read back from its signed bytes, any byte changed outside the signatures is noticed', () => {
    fc.assert(
      fc.property(anyTransaction, fc.nat(), fc.integer({ min: 1, max: 255 }), (tx, at, mask) => {
        const asked = decodeBitcoreJson(jsonOf(tx), maxAmount)
        const { txData, ders } = signAll(tx)
        const spends = spendsOf(tx)
        expect(readSigned(txData, asked, spends)).toEqual(asked)
        const bytes = bytesOf(txData)
        const position = at % bytes.length
        // r and s are not verified here (DESIGN 2): only their form is.
        if (ders.some(der => isInside(txData, der, position))) return
        bytes[position] = (bytes[position] ?? 0) ^ mask
        const read = outcome(() => readSigned(hex(bytes), asked, spends))
        if (!(read instanceof KmsError)) expect(read).not.toEqual(asked)
      }),
    )
  })
})

describe('signed bytes are not accepted', () => {
  const tx = transactionOf(['p2pkh', 'p2wpkh'])
  const asked = decodeBitcoreJson(jsonOf(tx), maxAmount)
  const { txData, ders } = signAll(tx)
  const read = (data: string) => () => readSigned(data, asked, spendsOf(tx))
  const [legacy = '', segwit = ''] = ders
  const witness = `${pushed(segwit)}21${hex(pool[0].publicKey)}`

  test.each<[string, string]>([
    ['with trailing bytes', `${txData}00`],
    ['cut short', txData.slice(0, -2)],
    ['when they are not hex', 'zz'],
    ['with another hash type in a scriptSig', txData.replace(`${legacy}01`, `${legacy}02`)],
    ['with another hash type in a witness', txData.replace(`${segwit}01`, `${segwit}81`)],
    ['with one more item in a witness', txData.replace(`02${witness}`, `03${witness}00`)],
    ['with a high s', txData.replace(pushed(segwit), pushed(highS(segwit)))],
  ])('%s', (_, data) => {
    expect(data).not.toBe(txData)
    expect(outcome(read(data))).toBeInstanceOf(KmsError)
  })

  test('unless they are exactly what was asked for', () => {
    expect(read(txData)()).toEqual(asked)
  })
})

describe('hostile text', () => {
  const valid = JSON.parse(jsonOf(transactionOf(['p2pkh', 'p2wpkh', 'p2sh-p2wpkh'])))

  test('is never more than a refusal', () => {
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      fc.constantFrom('', 'null', '[]', '{', '{"__proto__":{}}'),
    )
    fc.assert(fc.property(text, serialized => expectKmsErrorOnly(serialized)))
  })

  test('made of a good transaction with one part replaced is refused or read', () => {
    fc.assert(
      fc.property(fc.nat(), replacement, (where, value) => {
        const copy = structuredClone(valid)
        replaceNode(copy, where, value)
        expectKmsErrorOnly(JSON.stringify(copy))
      }),
    )
  })

  test('nested very deep is refused', () => {
    expectKmsErrorOnly('['.repeat(200_000))
    expectKmsErrorOnly(`{"inputs":${'['.repeat(50_000)}${']'.repeat(50_000)}}`)
  })

  type Edit = (tx: ReturnType<typeof edited>) => unknown
  type Faults = Readonly<Record<string, readonly Edit[]>>
  const notAnAmount = `outputs[0].satoshis is not a whole number from 0 to ${maxAmount}`
  const malformed: Faults = {
    'transaction has an unknown member': [
      tx => Object.assign(tx, { extra: 1 }),
      tx => Object.defineProperty(tx, '__proto__', { value: {}, enumerable: true }),
    ],
    'inputs[0] has an unknown member': [tx => Object.assign(tx.inputs[0], { sighash: 3 })],
    'inputs[0].output has an unknown member': [tx => Object.assign(tx.inputs[0].output, { x: 1 })],
    'outputs[0] has an unknown member': [tx => Object.assign(tx.outputs[0], { address: 'x' })],
    'inputs[0] is not a JSON object': [tx => Object.assign(tx.inputs, { 0: null })],
    'inputs[0].output is not a JSON object': [tx => Object.assign(tx.inputs[0], { output: [] })],
    'inputs is not a list with members': [
      tx => tx.inputs.splice(0),
      tx => Object.assign(tx, { inputs: { length: 1 } }),
    ],
    'outputs is not a list with members': [tx => tx.outputs.splice(0)],
    [notAnAmount]: [0.5, -1, Number(maxAmount) + 1, 2 ** 53, '1', null, undefined].map(
      satoshis => tx => Object.assign(tx.outputs[0], { satoshis }),
    ),
    'version is not a whole number of 32 bits': [2 ** 32, -1, 0.5, '2', undefined].map(
      version => tx => Object.assign(tx, { version }),
    ),
    'nLockTime is not a whole number of 32 bits': [-1, undefined].map(
      nLockTime => tx => Object.assign(tx, { nLockTime }),
    ),
    'inputs[0].sequenceNumber is not a whole number of 32 bits': [null, '1', 2 ** 32].map(
      sequenceNumber => tx => Object.assign(tx.inputs[0], { sequenceNumber }),
    ),
    'inputs[0].outputIndex is not a whole number of 32 bits': [-1, undefined].map(
      outputIndex => tx => Object.assign(tx.inputs[0], { outputIndex }),
    ),
    'inputs[0].prevTxId is not 32 bytes of hex': ['aa', 'zz'.repeat(32), 1, undefined].map(
      prevTxId => tx => Object.assign(tx.inputs[0], { prevTxId }),
    ),
    'outputs[0].script is not hex': ['0x00', '0', null, undefined].map(
      script => tx => Object.assign(tx.outputs[0], { script }),
    ),
    'inputs[1].scriptString is not text': [tx => Object.assign(tx.inputs[1], { scriptString: 0 })],
    'hash is not 32 bytes of hex': [tx => Object.assign(tx, { hash: null })],
    'fee is not a whole number': [tx => Object.assign(tx, { fee: '1' })],
    'changeIndex is not a whole number of 32 bits': [tx => Object.assign(tx, { changeIndex: -1 })],
    'changeScript is not text': [tx => Object.assign(tx, { changeScript: [] })],
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
    'inputs[1] spends an output a second time': [
      tx => Object.assign(tx.inputs[1], tx.inputs[0]),
      tx => Object.assign(tx.inputs[1], { outputIndex: 0, prevTxId: 'AA'.repeat(32) }),
    ],
    'the outputs hold more than the inputs': [
      tx => Object.assign(tx.outputs[0], { satoshis: 200_001 }),
    ],
    'hash is not the id of the transaction': [tx => Object.assign(tx, { hash: 'ab'.repeat(32) })],
    'fee is not what the inputs hold beyond the outputs': [tx => Object.assign(tx, { fee: 1 })],
    'changeIndex names no output': [tx => Object.assign(tx, { changeIndex: 1 })],
    'changeScript is not the script of the output changeIndex names': [
      tx => Object.assign(tx, { changeIndex: 0, changeScript: 'OP_0' }),
    ],
    'the transaction is larger than 100000 bytes': [
      tx => Object.assign(tx.outputs[0], { script: '00'.repeat(100_000) }),
    ],
    'input 1 belongs to none of the keys of this payment': [
      `76a914${'11'.repeat(20)}88ac`,
      `21${'02'.repeat(33)}ac`,
      `0014${'11'.repeat(20)}`,
      // BIP-143 allows compressed keys only.
      `0014${hex(hash160(uncompressed.publicKey))}`,
    ].map(script => tx => spend(tx, script)),
    'input 1 pays to a script that is not nested segwit of a key of this payment': [
      tx => spend(tx, `a914${'11'.repeat(20)}87`),
    ],
    'input 1 is P2WSH, which is not signed here': [tx => spend(tx, `0020${'11'.repeat(32)}`)],
    'input 1 is taproot, which is not signed here': [tx => spend(tx, `5120${'11'.repeat(32)}`)],
    'input 1 is bare multisig, which is not signed here': [
      tx => spend(tx, `51${`21${'02'.repeat(33)}`.repeat(2)}52ae`),
    ],
    'input 1 has a script of an unknown form': [
      tx => spend(tx, `76a94c14${hex(hash160(pool[0].publicKey))}88ac`),
      tx => spend(tx, ''),
    ],
  }

  test.each(Object.entries(malformed))('malformed: %s', (message, edits) => {
    expectFault(edits, 'transaction-malformed', message)
  })

  test.each(Object.entries(refused))('refused: %s', (message, edits) => {
    expectFault(edits, 'transaction-refused', message)
  })

  test.each(['', '{', 'null', '1', '"{}"', '[]'])('malformed: %p', serialized => {
    const fault = outcome(() => prepare(serialized, own))
    const expected = new KmsError('transaction-malformed', 'transaction is not a JSON object')
    expect<unknown>(fault).toEqual(expected)
  })

  test('malformed: an amount that stands twice, of which another reader may take the first', () => {
    const text = JSON.stringify(edited())
    const [amount = ''] = /"satoshis":\d+/.exec(text) ?? []
    const fault = outcome(() => prepare(text.replace(amount, `"satoshis":1,${amount}`), own))
    expect<unknown>(fault).toEqual(
      new KmsError('transaction-malformed', 'transaction is malformed: a member is given twice'),
    )
  })

  function expectFault(edits: readonly Edit[], code: KmsError['code'], message: string): void {
    for (const edit of edits) {
      const tx = edited()
      edit(tx)
      const fault = outcome(() => prepare(JSON.stringify(tx), own))
      if (!(fault instanceof KmsError)) throw new Error(`signed, not answered with: ${message}`)
      expect([fault.code, fault.message]).toEqual([code, message])
    }
  }
})

describe('what it says', () => {
  test('recipients are addresses, our own are known in every form, the fee is the difference', () => {
    const tx = transactionOf(['p2pkh', 'p2wpkh', 'p2pkh'])
    const scripts = [
      scriptOf('p2pk', pool[1]),
      scriptOf('p2sh-p2wpkh', pool[0]),
      `0014${'11'.repeat(20)}`,
      '6a040badcafe',
    ]
    tx.outputs = scripts.map((script, i) => ({ satoshis: 1_000 * (i + 1), script }))
    const { intent, claims } = prepare(jsonOf(tx), own)
    const from = tx.inputs.map(({ output }) => describeScript(output.script, addresses))
    expect(intent.kind).toBe('transfer')
    expect([...intent.from]).toEqual([...new Set(from)])
    expect(intent.from.length).toBe(2)
    expect(
      intent.outputs.map(output => [output.to, output.amount, output.asset, output.own]),
    ).toEqual([
      [`script ${scripts[0]}`, 1_000n, 'BTC', true],
      [describeScript(scripts[1] ?? '', addresses), 2_000n, 'BTC', true],
      [describeScript(scripts[2] ?? '', addresses), 3_000n, 'BTC', false],
      ['OP_RETURN 0badcafe', 4_000n, 'BTC', false],
    ])
    expect(intent.fee).toEqual({ amount: 300_000n - 10_000n, asset: 'BTC' })
    expect([...claims]).toEqual(
      tx.inputs.map(input => `output/${input.prevTxId}:${input.outputIndex}`),
    )
  })

  // BIP-173 and BIP-350 print the first two, the genesis block pays the third.
  test.each<[string, string]>([
    ['0014751e76e8199196d454941c45d1b3a323f1433bd6', 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4'],
    [
      '512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798',
      'bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0',
    ],
    ['76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac', '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa'],
    ['6a4c0401020304', 'script 6a4c0401020304'],
    ['6a01050105', 'script 6a01050105'],
    ['6a', 'script 6a'],
    ['6aff', 'script 6aff'],
    ['51024e73', 'script 51024e73'],
  ])('%s pays to %s', (script, text) => {
    expect(describeScript(script, addresses)).toBe(text)
  })

  test('two different scripts never have the same text', () => {
    const script = fc.oneof(
      outputScript,
      fc.uint8Array({ maxLength: 6 }).map(tail => `6a${hex(tail)}`),
    )
    fc.assert(
      fc.property(script, script, (a, b) => {
        fc.pre(a !== b)
        expect(describeScript(a, addresses)).not.toBe(describeScript(b, addresses))
      }),
    )
  })
})

describe('sealing', () => {
  test('a fee is bounded by the size of what was signed', () => {
    const tx = transactionOf(['p2wpkh', 'p2sh-p2wpkh', 'p2pkh'])
    const vsize = Transaction.fromRaw(bytesOf(signAll(tx).txData), lenient).vsize
    // Another fee means other signatures, each a byte or two shorter or longer in DER.
    const withFee = (fee: number) => {
      const total = tx.inputs.reduce((sum, { output }) => sum + output.satoshis, 0)
      const inputs = tx.inputs.map(input => ({
        ...input,
        output: { ...input.output, satoshis: input.output.satoshis + 10 ** 6 },
      }))
      const outputs = [{ satoshis: total + 3 * 10 ** 6 - fee, script: scriptOf('p2pkh', pool[0]) }]
      return JSON.stringify({ ...tx, inputs, outputs })
    }
    expect(codeOf(() => signWith(pending(withFee((vsize + 3) * 2_500)), own, secrets))).toBe(
      'policy-denied',
    )
    expect(signWith(pending(withFee((vsize - 3) * 2_500)), own, secrets).txId).toHaveLength(64)
  })

  test('signatures that are too few, too short or of high s are not assembled', () => {
    const prepared = prepare(jsonOf(transactionOf(['p2pkh'])), own)
    const [request] = prepared.requests
    if (request === undefined) throw new Error('nothing to sign')
    const good = secp256k1.sign(request.message, pool[0].secret, { prehash: false, lowS: true })
    const { r, s } = secp256k1.Signature.fromBytes(good)
    const high = new secp256k1.Signature(r, secp256k1.Point.Fn.ORDER - s).toBytes()
    const bad = [[], [good.subarray(1)], [high], [good, good]]
    for (const signatures of bad) {
      const answers = signatures.map(bytes => ({ bytes, recovery: 0 }))
      expect(codeOf(() => prepared.seal(answers))).toBe('unexpected')
    }
  })

  test('a JSON -0 is 0', () => {
    const plain = jsonOf(transactionOf(['p2pkh']))
    const negative = plain.replace('"nLockTime":0', '"nLockTime":-0')
    expect(negative).not.toBe(plain)
    const sign = (serialized: string) => signWith(pending(serialized), own, secrets)
    expect(sign(negative)).toEqual(sign(plain))
  })

  test('nothing can be added to a transaction', () => {
    const serialized = jsonOf(transactionOf(['p2pkh']))
    const attempt = () => btc.prepare(pending(serialized), own, { fee: '1' })
    expect(codeOf(attempt)).toBe('transaction-refused')
  })

  test('a transaction at the size limit is hashed in a bounded time', () => {
    const [input] = transactionOf(['p2pkh']).inputs
    const inputs = Array.from({ length: 2_400 }, (_, outputIndex) => ({ ...input, outputIndex }))
    const tx = { ...transactionOf(['p2pkh']), inputs }
    const started = performance.now()
    expect(prepare(JSON.stringify(tx), own).requests.length).toBe(2_400)
    expect(performance.now() - started).toBeLessThan(5_000)
  })
})

describe('a chain without segwit', () => {
  const doge = utxoChain({
    id: 'DOGE',
    name: 'Dogecoin',
    addresses: {
      mainnet: { p2pkh: 0x1e, p2sh: 0x16 },
      testnet: { p2pkh: 0x71, p2sh: 0xc4 },
    },
    ownAddress: 'p2pkh',
    wif: { mainnet: 0x9e, testnet: 0xf1 },
    path: { mainnet: "m/44'/3'/0'/0", testnet: "m/44'/1'/0'/0" },
    xpub: { mainnet: 0x0488b21e, testnet: 0x043587cf },
    maxAmount: 10n ** 18n,
    maxFeePerVbyte: 4_000_000n,
    broadcastPath: '/v3/dogecoin/broadcast',
  })
  const review = (form: Form) => () =>
    doge.review({ ...pending(jsonOf(transactionOf([form]))), chain: 'DOGE' }, own)

  test('has addresses of its own', () => {
    const { publicKey } = derive(
      'abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about',
      'mainnet',
      0,
      doge.key.derivation.path.mainnet,
    )
    expect(doge.address(publicOf(publicKey), 'mainnet')).toBe('DBus3bamQjgJULBJtYXpEzDWQRwF5iwxgC')
  })

  test('signs for public keys and their hashes, not for witness programs', () => {
    expect(review('p2pkh')().outputs.map(({ asset }) => asset)).toEqual(['DOGE'])
    expect(review('p2pk')().from).toHaveLength(1)
    expect(review('p2wpkh')).toThrow('input 0 is P2WPKH, which is not signed here')
    expect(review('p2sh-p2wpkh')).toThrow('input 0 is P2SH, which is not signed here')
  })
})

function name(vector: Vector): string {
  return `${vector.network} ${vector.case}`
}

function pending(serializedTransaction: string, rest: Partial<PendingTx> = {}): PendingTx {
  const id = '85549f1ff3dd357c69b03e19'
  return { id, chain: 'BTC', serializedTransaction, hashes: [], signatures: [], ...rest }
}

/** What `tatum/pending.ts` makes of the recorded text. */
function pendingOf({ pending: recorded }: Vector): PendingTx {
  const { id, hashes, serializedTransaction } = recorded
  const responses = recorded.withdrawalResponses?.map(({ vIn, vInIndex, ...entry }) => {
    const index = 'address' in entry ? entry.address?.derivationKey : undefined
    return { vIn, vInIndex, ...(index === undefined ? {} : { derivationKey: index }) }
  })
  return pending(serializedTransaction, {
    id,
    hashes,
    ...(recorded.withdrawalId === undefined ? {} : { withdrawalId: recorded.withdrawalId }),
    ...(responses === undefined ? {} : { withdrawalResponses: responses }),
  })
}

function walletsOf({ wallets: recorded }: Vector): ReadonlyMap<string, VectorWallet> {
  return new Map(Object.entries<VectorWallet>(recorded))
}

function resolve(tx: PendingTx, vector: Vector): [PendingTx, Own, readonly Uint8Array[]] {
  const network = vector.network === 'testnet' ? 'testnet' : 'mainnet'
  const keys = btc.keys(tx).map(({ signatureId, index }) => {
    const { mnemonic, privateKey } = walletsOf(vector).get(signatureId) ?? {}
    if (privateKey !== undefined) return fromWif(privateKey)
    if (mnemonic === undefined || index === undefined) throw new Error('the case names no key')
    return derive(mnemonic, network, index)
  })
  const publicKeys = keys.map(({ publicKey }) => publicOf(publicKey))
  return [tx, { network, keys: publicKeys }, keys.map(({ secret }) => secret)]
}

function derive(
  mnemonic: string,
  network: Network,
  index: number,
  path = btc.key.derivation.path[network],
): TestKey {
  const node = HDKey.fromMasterSeed(mnemonicToSeedSync(mnemonic)).derive(path).deriveChild(index)
  if (node.privateKey === null || node.publicKey === null) throw new Error('no key')
  return { secret: node.privateKey, publicKey: node.publicKey }
}

/** 37 or 38 bytes in base58: version, key, 01 when compressed, checksum. */
function fromWif(text: string): TestKey {
  const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
  const value = [...text].reduce((sum, digit) => sum * 58n + BigInt(alphabet.indexOf(digit)), 0n)
  const bytes = bytesOf(value.toString(16).padStart(2, '0'))
  const secret = bytes.slice(1, 33)
  return { secret, publicKey: secp256k1.getPublicKey(secret, bytes.length === 38) }
}

function testKey(fill: number, compressed = true): TestKey {
  const secret = new Uint8Array(32).fill(fill)
  return { secret, publicKey: secp256k1.getPublicKey(secret, compressed) }
}

function publicOf(bytes: Uint8Array): PublicKey {
  return { curve: 'secp256k1', bytes }
}

function scriptOf(form: Form, { publicKey }: TestKey): string {
  const hash = hash160(publicKey)
  const nested = OutScript.encode({ type: 'wpkh', hash })
  switch (form) {
    case 'p2pk':
      return hex(OutScript.encode({ type: 'pk', pubkey: publicKey }))
    case 'p2pkh':
      return hex(OutScript.encode({ type: 'pkh', hash }))
    case 'p2wpkh':
      return hex(nested)
    case 'p2sh-p2wpkh':
      return hex(OutScript.encode({ type: 'sh', hash: hash160(nested) }))
    default:
      return form satisfies never
  }
}

/** Spends 100,000 satoshi of the first key per form, to somebody else, for a fee of 10,000. */
function transactionOf(inputs: readonly Form[]) {
  return {
    version: 2,
    inputs: inputs.map((form, outputIndex) => ({
      prevTxId: 'aa'.repeat(32),
      outputIndex,
      sequenceNumber: 0xffffffff,
      script: '',
      scriptString: '',
      output: { satoshis: 100_000, script: scriptOf(form, pool[0]) },
    })),
    outputs: [
      { satoshis: inputs.length * 100_000 - 10_000, script: `76a914${'11'.repeat(20)}88ac` },
    ],
    nLockTime: 0,
  }
}

function edited() {
  const { inputs, outputs, ...rest } = transactionOf(['p2pkh', 'p2wpkh'])
  const [[first, second], [output]] = [inputs, outputs]
  if (first === undefined || second === undefined || output === undefined) {
    throw new Error('two inputs and an output were asked for')
  }
  return {
    ...rest,
    inputs: [first, second] satisfies [TestInput, TestInput],
    outputs: [output] satisfies [TestTx['outputs'][number]],
  }
}

function spend(tx: TestTx, script: string): void {
  const input = tx.inputs[1]
  if (input !== undefined) input.output.script = script
}

function jsonOf(tx: TestTx): string {
  return JSON.stringify(tx)
}

function paid(tx: TestTx): number {
  return tx.outputs.reduce((sum, { satoshis }) => sum + satoshis, 0)
}

function prepare(serialized: string, keys: Own): Prepared {
  return btc.prepare(pending(serialized), keys, {})
}

function signaturesFor({ requests }: Prepared, keys: readonly Uint8Array[]): readonly Signature[] {
  return requests.map(({ key, message }) => {
    const secret = keys[key] ?? new Uint8Array()
    const bytes = secp256k1.sign(message, secret, { prehash: false, lowS: true })
    return { bytes, recovery: 0 }
  })
}

function signWith(tx: PendingTx, keys: Own, signers: readonly Uint8Array[]) {
  const prepared = btc.prepare(tx, keys, {})
  return prepared.seal(signaturesFor(prepared, signers))
}

function signAll(tx: TestTx): { readonly txData: string; readonly ders: readonly string[] } {
  const prepared = prepare(jsonOf(tx), own)
  const signatures = signaturesFor(prepared, secrets)
  const ders = signatures.map(({ bytes }) => secp256k1.Signature.fromBytes(bytes).toHex('der'))
  return { txData: prepared.seal(signatures).txData, ders }
}

function everythingAbout(tx: TestTx): unknown {
  const prepared = prepare(jsonOf(tx), own)
  const { intent, claims, requests } = prepared
  return { intent, claims, requests, signed: prepared.seal(signaturesFor(prepared, secrets)) }
}

function spendsOf(tx: TestTx) {
  const ours = ownScripts(own.keys, addresses)
  return tx.inputs.flatMap(({ output }) => ours.get(output.script) ?? [])
}

function unsignedId(tx: TestTx): string {
  const other = new Transaction({ ...lenient, version: tx.version | 0, lockTime: tx.nLockTime })
  for (const { prevTxId, outputIndex, sequenceNumber } of tx.inputs) {
    other.addInput({ txid: prevTxId, index: outputIndex, sequence: sequenceNumber })
  }
  for (const { satoshis, script } of tx.outputs) {
    other.addOutput({ amount: BigInt(satoshis), script: bytesOf(script) })
  }
  return hex(sha256x2(other.unsignedTx).reverse())
}

function expectSignedInput(parsed: Transaction, i: number, input: TestInput): void {
  const raw = parsed.getInput(i)
  const { key, form } = spendable.find(({ script }) => script === input.output.script) ?? {}
  if (key === undefined || form === undefined) throw new Error('not one of our scripts')
  expect([hex(raw.txid ?? new Uint8Array()), raw.index, raw.sequence]).toEqual([
    input.prevTxId,
    input.outputIndex,
    input.sequenceNumber,
  ])
  const segwit = form === 'p2wpkh' || form === 'p2sh-p2wpkh'
  const scriptSig = Script.decode(raw.finalScriptSig ?? new Uint8Array())
  const unlocking = segwit ? (raw.finalScriptWitness ?? []) : scriptSig
  const [signature, publicKey, ...rest] = unlocking
  expect(rest).toEqual([])
  expect(publicKey).toEqual(form === 'p2pk' ? undefined : key.publicKey)
  if (form === 'p2wpkh') expect(scriptSig).toEqual([])
  if (form === 'p2sh-p2wpkh') expect(scriptSig).toEqual([bytesOf(scriptOf('p2wpkh', key))])
  if (!(signature instanceof Uint8Array)) throw new Error('no signature')
  const digest = segwit ? witnessDigest(parsed, i, key, input) : legacyDigest(parsed, i, input)
  expect(signature.at(-1)).toBe(1)
  const options = { prehash: false, lowS: true, format: 'der' } as const
  expect(secp256k1.verify(signature.slice(0, -1), digest, key.publicKey, options)).toBe(true)
}

function witnessDigest(tx: Transaction, i: number, key: TestKey, { output }: TestInput) {
  const code = OutScript.encode({ type: 'pkh', hash: hash160(key.publicKey) })
  return tx.preimageWitnessV0(i, code, 1, BigInt(output.satoshis))
}

/** The library computes it, though it does not say so in its types. */
function legacyDigest(tx: Transaction, i: number, { output }: TestInput): Uint8Array {
  const digest = Reflect.get(tx, 'preimageLegacy')
  return Reflect.apply(digest, tx, [i, bytesOf(output.script), 1])
}

type Change = (value: number) => boolean

/** One change per field; the amounts and scripts of spent outputs, which no hash covers, first. */
function fieldsOf(tx: TestTx): readonly Change[] {
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
      holder.script = spendable[value % spendable.length]?.script ?? ''
      return before !== holder.script
    }
  const txId =
    (input: TestInput): Change =>
    value => {
      const before = input.prevTxId
      input.prevTxId = hex(new Uint8Array(32).fill(value))
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

/** Whether byte `position` belongs to r or s of this DER signature. */
function isInside(txData: string, der: string, position: number): boolean {
  const at = position - txData.indexOf(der) / 2
  const rLength = Number.parseInt(der.slice(6, 8), 16)
  const isForm = at < 4 || at === 4 + rLength || at === 5 + rLength
  return at >= 0 && at < der.length / 2 && !isForm
}

/** A witness item: the signature and its hash type behind their length. */
function pushed(der: string): string {
  return `${hex(Uint8Array.of(der.length / 2 + 1))}${der}01`
}

function highS(der: string): string {
  const { r, s } = secp256k1.Signature.fromHex(der, 'der')
  return new secp256k1.Signature(r, secp256k1.Point.Fn.ORDER - s).toHex('der')
}

/** Replaces the `where`-th member found anywhere in `root`. */
function replaceNode(root: unknown, where: number, value: unknown): void {
  const members: (readonly [object, string])[] = []
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    for (const [member, child] of Object.entries(node)) {
      members.push([node, member])
      visit(child)
    }
  }
  visit(root)
  const [holder, member] = members[where % members.length] ?? []
  if (holder !== undefined && member !== undefined) Reflect.set(holder, member, value)
}

function expectKmsErrorOnly(serialized: string): void {
  const answer = outcome(() => prepare(serialized, own))
  if (answer instanceof KmsError) {
    expect(['transaction-malformed', 'transaction-refused']).toContain(answer.code)
  }
}

/** The answer or the KmsError; anything else that is thrown goes on. */
function outcome<T>(run: () => T): T | KmsError {
  try {
    return run()
  } catch (thrown) {
    if (thrown instanceof KmsError) return thrown
    throw thrown
  }
}

function codeOf(run: () => unknown): string {
  const answer = outcome(run)
  return answer instanceof KmsError ? answer.code : 'no error'
}

function bytesOf(text: string): Uint8Array {
  const bytes = fromHex(text)
  if (bytes === undefined) throw new Error('not hex')
  return bytes
}
