import { describe, expect, test } from 'bun:test'
import { Account, Asset, Memo, MuxedAccount, Operation } from '@stellar/stellar-base'
import { xlm } from '../../src/chains/xlm.ts'
import { pendingOf } from '../support/evm.ts'
import { keysOf } from '../support/mnemonic-keys.ts'
import { recordedCases } from '../support/recorded-cases.ts'
import {
  build,
  issuer,
  maxTime,
  networks,
  ownOf,
  pay,
  prepare,
  sign,
  somebody,
  source,
  usdc,
} from '../support/xlm.ts'

const asset = `XLM:USDC.${issuer}`

describe('every recorded payment', () => {
  const signed = recordedCases('XLM').filter(({ expected }) => expected.outcome === 'signed')
  test.each(signed.map(found => [found.case, found] as const))(
    '%s is signed byte for byte',
    (_, { pending, network, expected }) => {
      expect(sign(pending.serializedTransaction, network).txData).toBe(expected.txData ?? '')
    },
  )
})

describe('an intent', () => {
  test('names recipient, fee and expiry, and uses up one sequence number', () => {
    const { intent, claims } = prepare(build().toXDR())
    expect(intent).toEqual({
      kind: 'transfer',
      from: [source],
      outputs: [{ to: somebody, amount: 50_000_000n, asset: 'XLM', own: false }],
      fee: { amount: 100n, asset: 'XLM' },
      expiry: maxTime * 1000,
    })
    expect(claims).toEqual([`sequence/${source}/7`])
  })

  test('says from when on the network takes it, where there is such a time', () => {
    const { intent } = prepare(build({ minTime: maxTime - 60 }).toXDR())
    expect(intent.notBefore).toBe((maxTime - 60) * 1000)
    expect(() => prepare(build({ minTime: maxTime }).toXDR())).not.toThrow()
    // The library builds none whose minTime is after its maxTime.
    const hex = Buffer.from(build({ minTime: maxTime }).toXDR(), 'base64').toString('hex')
    const [time, later] = [maxTime, maxTime + 1].map(s => s.toString(16).padStart(16, '0'))
    const never = Buffer.from(hex.replace(`${time}`, `${later}`), 'hex').toString('base64')
    expect(() => prepare(never)).toThrow('minTime is after maxTime')
  })

  const muxed = new MuxedAccount(new Account(somebody, '0'), '18446744073709551615').accountId()
  const payMuxed = Operation.payment({ destination: muxed, asset: usdc, amount: '0.0000001' })

  test.each([
    ['text', pay, Memo.text('hello memo'), `${somebody}?memo=text:hello%20memo`],
    ['no text', pay, Memo.text(''), `${somebody}?memo=text:`],
    ['text that looks like more', pay, Memo.text('1&id=2'), `${somebody}?memo=text:1%26id%3D2`],
    ['text of many bytes', pay, Memo.text('é'), `${somebody}?memo=text:%C3%A9`],
    ['a byte order mark', pay, Memo.text('\ufeff'), `${somebody}?memo=text:%EF%BB%BF`],
    ['an id', pay, Memo.id('0'), `${somebody}?memo=id:0`],
    ['a hash', pay, Memo.hash('ab'.repeat(32)), `${somebody}?memo=hash:${'ab'.repeat(32)}`],
    ['a hash', pay, Memo.return('ab'.repeat(32)), `${somebody}?memo=return:${'ab'.repeat(32)}`],
    ['nothing, but an id', payMuxed, Memo.none(), `${somebody}?id=18446744073709551615`],
    ['an id and one', payMuxed, Memo.id('1'), `${somebody}?id=18446744073709551615&memo=id:1`],
  ])('tells the memo of a payment: %s', (_, operation, memo, to) => {
    const { intent } = prepare(build({ operations: [operation], memo }).toXDR())
    expect(intent.outputs[0]?.to).toBe(to)
  })

  test('of several operations tells them all', () => {
    const operations = [
      Operation.createAccount({ destination: somebody, startingBalance: '2', source }),
      Operation.payment({ destination: source, asset: usdc, amount: '0.0000001' }),
      Operation.changeTrust({ asset: usdc, limit: '0' }),
      Operation.changeTrust({ asset: new Asset('abcde', somebody) }),
    ]
    const { intent } = prepare(build({ operations }).toXDR())
    expect(intent).toMatchObject({
      kind: 'create-account+token-transfer+trust',
      outputs: [
        { to: somebody, amount: 20_000_000n, asset: 'XLM', own: false },
        { to: source, amount: 1n, asset, own: true },
        { to: issuer, amount: 0n, asset, own: false },
        { to: somebody, amount: 2n ** 63n - 1n, asset: `XLM:abcde.${somebody}`, own: false },
      ],
      fee: { amount: 400n, asset: 'XLM' },
    })
  })
})

test('one signature is taken, no other number of them', () => {
  const signature = { bytes: new Uint8Array(64).fill(1), recovery: 0 }
  const { seal } = prepare(build().toXDR())
  expect(seal([signature]).txId).toBe(build().hash().toString('hex'))
  for (const signatures of [[], [signature, signature]]) {
    expect(() => seal(signatures)).toThrow('one signature')
  }
})

test('a completion has nothing to add', () => {
  const pending = pendingOf(xlm, build().toXDR())
  expect(() => xlm.prepare(pending, ownOf(), { fee: '1' })).toThrow('complete transaction')
})

test('payments of virtual accounts go the way of all others', () => {
  expect(xlm.broadcast({ id: 'x', withdrawalId: 'y' }, 'AAAA')).toEqual({
    path: '/v3/xlm/broadcast',
    body: { txData: 'AAAA', signatureId: 'x' },
  })
})

test.each(networks)('a mnemonic has the keys of SEP-5 on %s', async network => {
  // https://stellar.org/protocol/sep-5, test 1
  const mnemonic = 'illness spike retreat truth genius clock brain pass fit cave bargain toe'
  expect(await keysOf(xlm, network, mnemonic, [0, 1])).toEqual([
    {
      address: 'GDRXE2BQUC3AZNPVFSCEZ76NJ3WWL25FYFK6RGZGIEKWE4SOOHSUJUJ6',
      keyText: 'SBGWSG6BTNCKCOB3DIFBGCVMUPQFYPA2G4O34RMTB343OYPXU5DJDVMN',
    },
    {
      address: 'GBAW5XGWORWVFE2XTJYDTLDHXTY2Q2MO73HYCGB3XMFMQ562Q2W2GJQX',
      keyText: 'SCEPFFWGAG5P2VX5DHIYK3XEMZYLTYWIPWYEKXFHSK25RVMIUNJ7CTIS',
    },
  ])
})
