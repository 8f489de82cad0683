import { describe, expect, test } from 'bun:test'
import { keccak256 } from 'viem'
import { tron } from '../../src/chains/tron.ts'
import { parsePending } from '../../src/tatum/pending.ts'
import { ownOf, pendingOf, privateKeyOf, publicKeyOf, signAll } from '../support/evm.ts'
import { recordedCases } from '../support/recorded-cases.ts'
import {
  type Contract,
  callData,
  head,
  own,
  owner,
  ownerText,
  prepare,
  sign,
  somebody,
  somebodyText,
  toHex,
  token,
  tokenText,
  transfer,
  tronKey,
  unsigned,
} from '../support/tron.ts'
import { TronWeb } from '../support/tronweb.ts'

const wallet = { chain: 'TRON', testnet: false, privateKey: tronKey }
const signed = recordedCases('TRON').filter(({ expected }) => expected.outcome === 'signed')

describe('every recorded payment', () => {
  test.each(signed.map(found => [found.case, found] as const))(
    '%s is signed byte for byte',
    (_, { pending: recorded, wallets, network, expected }) => {
      const pending = parsePending({ chain: 'TRON', ...recorded })
      const [{ signatureId = '', index } = {}] = tron.keys(pending)
      const key = privateKeyOf(tron, wallets[signatureId] ?? wallet, network, index)
      const prepared = tron.prepare(pending, ownOf(key, network), {})
      const { txData, txId } = prepared.seal(signAll(prepared, key))
      expect(txData).toBe(expected.txData ?? '')
      expect(txId).toBe(JSON.parse(recorded.serializedTransaction).txID)
      expect<unknown>(tron.broadcast(pending, txData)).toEqual(expected.broadcast)
    },
  )
})

describe('an address', () => {
  test('is that of TronWeb, the same on both networks', () => {
    const bytes = Uint8Array.from(Buffer.from(tronKey, 'hex'))
    for (const network of ['mainnet', 'testnet'] as const) {
      expect(tron.address(publicKeyOf(bytes), network)).toBe(ownerText)
    }
    expect(TronWeb.address.fromPrivateKey(tronKey)).toBe(ownerText)
  })
})

/** Prices of bandwidth, for a transaction of this many bytes. */
const bandwidth = ({ raw_data_hex }: { readonly raw_data_hex: string }) =>
  1_000n * BigInt(raw_data_hex.length / 2 + 136)
const coins = (to: string, amount: bigint) => ({ to, amount, asset: 'TRON', own: false })
const newAccount = 1_100_000n

describe('an intent', () => {
  test('of a transfer has addresses as people write them, what it burns at most, and its end', () => {
    const json = unsigned(transfer)
    const { intent, claims } = prepare(json)
    expect(intent).toEqual({
      kind: 'transfer',
      from: [ownerText],
      outputs: [coins(somebodyText, 1_500_000n)],
      fee: { amount: bandwidth(json) + newAccount, asset: 'TRON' },
      expiry: head.expiration,
    })
    expect(claims).toEqual([`tx/${json.txID}`])
  })

  test('knows what goes to the wallet itself', () => {
    const value = { ...transfer.value, to_address: owner }
    expect(prepare(unsigned({ ...transfer, value })).intent.outputs[0]?.own).toBe(true)
  })

  test('of a memo tells it, and what it costs', () => {
    const json = unsigned(transfer, { data: toHex('for you, 100%') })
    const { intent } = prepare(json)
    expect(intent.outputs[1]).toEqual(coins('memo for%20you%2C%20100%25', 0n))
    expect(intent.fee?.amount).toBe(bandwidth(json) + newAccount + 1_000_000n)
  })

  test.each([
    ['ff00', 'memo hex:ff00'],
    ['e280ae41', 'memo %E2%80%AEA'],
    ['efbbbf41', 'memo %EF%BB%BFA'],
    [toHex('hex:ff00'), 'memo hex%3Aff00'],
  ])('of the memo %s hides nothing', (data, to) => {
    expect(prepare(unsigned(transfer, { data })).intent.outputs[1]?.to).toBe(to)
  })

  test('of TRC-10 tokens names them by their number', () => {
    const value = { ...transfer.value, asset_name: toHex('1000001'), amount: 500 }
    const { intent } = prepare(unsigned({ type: 'TransferAssetContract', value }))
    expect(intent).toMatchObject({
      kind: 'token-transfer',
      outputs: [{ to: somebodyText, amount: 500n, asset: 'TRON:1000001', own: false }],
    })
  })

  test.each([
    [callData('a9059cbb', somebody, 12_345_678), 'token-transfer', [ownerText], somebodyText, ''],
    [callData('095ea7b3', somebody, 12_345_678), 'approve', [ownerText], somebodyText, ''],
    [
      callData('23b872dd', somebody, owner, 12_345_678),
      'token-transfer',
      [ownerText, somebodyText],
      ownerText,
      '',
    ],
    [
      callData('f242432a', owner, somebody, 7, 12_345_678, 160, 0),
      'nft-transfer',
      [ownerText],
      somebodyText,
      '#7',
    ],
  ])('of the call %s is a %s', (data, kind, from, to, id) => {
    const { intent } = prepare(unsigned(call({ data }), { fee_limit: 50_000_000 }))
    const asset = `TRON:${tokenText}${id}`
    expect(intent).toMatchObject({
      kind,
      from,
      outputs: [{ to, amount: 12_345_678n, asset, own: to === ownerText }],
    })
    expect(intent).not.toHaveProperty('unread')
  })

  test('of a call adds its fee limit, its coins and its tokens', () => {
    const data = callData('a9059cbb', somebody, 1)
    const json = unsigned(
      call({ data, call_value: 10, call_token_value: 20, token_id: 1_000_001 }),
      { fee_limit: 50_000_000 },
    )
    const { intent } = prepare(json)
    expect(intent.fee?.amount).toBe(50_000_000n + bandwidth(json))
    expect(intent.outputs).toEqual([
      coins(tokenText, 10n),
      { to: somebodyText, amount: 1n, asset: `TRON:${tokenText}`, own: false },
      { to: tokenText, amount: 20n, asset: 'TRON:1000001', own: false },
    ])
  })

  test.each([
    ['of an unknown function', callData('d0e30db0')],
    ['with dirty padding', callData('a9059cbb', `ff${somebody}`, 1)],
    ['without data', ''],
  ])('of a call %s says that it was not read', (_, data) => {
    const { intent } = prepare(unsigned(call({ data, call_value: 10 })))
    expect(intent).toMatchObject({
      kind: 'contract-call',
      unread: true,
      outputs: [coins(tokenText, 10n)],
    })
  })

  test('of a new contract, with an ABI as compilers write it, tells what it is given', () => {
    const json = unsigned({ type: 'CreateSmartContract', value: creation })
    const contract_address = contractOf(json.txID)
    expect(prepare({ ...json, contract_address }).intent).toMatchObject({
      kind: 'contract-creation',
      unread: true,
      outputs: [coins('new contract', 7n)],
      fee: { amount: bandwidth(json) },
    })
    expect(sign({ ...json, contract_address }).txId).toBe(json.txID)
  })

  test('of a new token tells its price', () => {
    const value = { owner_address: owner, name: toHex('A Token'), total_supply: 1_000 }
    const { intent } = prepare(unsigned({ type: 'AssetIssueContract', value }))
    expect(intent).toMatchObject({
      kind: 'token-creation',
      outputs: [
        { to: ownerText, amount: 1_000n, asset: 'TRON:new A%20Token', own: true },
        coins('the network, for a new token', 1_024_000_000n),
      ],
    })
  })

  test('of a new token tells on which terms it is had', () => {
    const terms = {
      abbr: toHex('ATK'),
      url: toHex('https://x.y/ z'),
      frozen_supply: [{ frozen_amount: 5, frozen_days: 30 }],
      trx_num: 3,
      num: 4,
      start_time: 1_767_225_600_000,
      end_time: 1_767_312_000_000,
    }
    const value = { owner_address: owner, name: toHex('T'), total_supply: 1_000, ...terms }
    const { outputs } = prepare(unsigned({ type: 'AssetIssueContract', value })).intent
    expect(outputs[2]).toEqual(
      coins(
        'abbr=ATK url=https%3A%2F%2Fx.y%2F%20z trx_num=3 num=4 start_time=1767225600000 end_time=1767312000000 frozen=5 for 30 days',
        0n,
      ),
    )
  })

  test('signed by another permission than the owner says so', () => {
    const json = unsigned({ ...transfer, more: { Permission_id: 2 } })
    expect(prepare(json).intent.outputs).toEqual([
      coins(somebodyText, 1_500_000n),
      coins('by permission 2', 0n),
    ])
  })

  test.each<[Contract, string, string]>([
    [stake('FreezeBalanceV2Contract', { frozen_balance: 9 }), 'stake', 'stake for BANDWIDTH'],
    [
      stake('FreezeBalanceV2Contract', { frozen_balance: 9, resource: 'TRON_POWER' }),
      'stake',
      'stake for TRON_POWER',
    ],
    [
      stake('UnfreezeBalanceV2Contract', { unfreeze_balance: 9, resource: 'ENERGY' }),
      'unstake',
      'stake for ENERGY',
    ],
    [
      stake('FreezeBalanceContract', {
        frozen_balance: 9,
        frozen_duration: 3,
        receiver_address: somebody,
      }),
      'stake',
      `stake for BANDWIDTH of ${somebodyText} for 3 days`,
    ],
  ])('of %j is a %s', (contract, kind, to) => {
    expect(prepare(unsigned(contract)).intent).toMatchObject({
      kind,
      outputs: [{ to, amount: 9n, asset: 'TRON', own: true }],
    })
  })
})

describe('what is sent', () => {
  test('has the members in the order they came in, and the signature last', () => {
    const { raw_data_hex, raw_data, txID } = unsigned(transfer)
    const text = JSON.stringify({ raw_data_hex, txID, raw_data })
    const { txData } = sign(` ${text.replaceAll(',', ' ,\n')} `)
    expect(txData).toMatch(/,"signature":\["[0-9a-f]{128}1[BC]"\]\}$/)
    expect(`${txData.slice(0, txData.lastIndexOf(',"signature"'))}}`).toBe(text)
  })

  test('may have addresses and names as people read them, where it says so', () => {
    const value = { ...transfer.value, asset_name: toHex('1000001') }
    const json = unsigned({ type: 'TransferAssetContract', value })
    const text = JSON.stringify({ ...json, visible: true })
      .replace(`"${owner}"`, `"${ownerText}"`)
      .replace(`"${somebody}"`, `"${somebodyText}"`)
      .replace(`"${toHex('1000001')}"`, '"1000001"')
    expect(prepare(text).intent).toEqual(prepare(json).intent)
  })

  test.each([
    ['in capitals', (text: string) => text.replaceAll(/[0-9a-f]{12,}/g, hex => hex.toUpperCase())],
    ['with what is absent spelt out', (text: string) => text.replace('"fee_limit":0,', '')],
  ])('is the same %s', (_, change) => {
    const json = unsigned(transfer, { fee_limit: 0 })
    const { intent, claims, requests } = prepare(json)
    const changed = prepare(change(JSON.stringify(json)))
    expect([changed.intent, changed.claims, changed.requests]).toEqual([intent, claims, requests])
  })

  test('is read back only with one signature, as TronWeb writes it', () => {
    const prepared = prepare(unsigned(transfer))
    const [good] = signAll(prepared, Uint8Array.from(Buffer.from(tronKey, 'hex')))
    if (good === undefined) throw new Error('nothing to sign')
    expect(prepared.seal([good]).txData).toEndWith('"]}')
    const spoilt = { ...good, bytes: good.bytes.subarray(1) }
    for (const signatures of [[], [good, good], [spoilt], [{ ...good, recovery: 2 }]]) {
      expect(() => prepared.seal(signatures)).toThrow('signature')
    }
  })

  test('takes no completion', () => {
    const pending = pendingOf(tron, unsigned(transfer))
    expect(() => tron.prepare(pending, own, { fee_limit: '1' })).toThrow('completion sets a field')
  })
})

const creation = {
  owner_address: owner,
  new_contract: {
    abi: {
      entrys: [
        { type: 'constructor', stateMutability: 'payable', inputs: [] },
        {
          type: 'function',
          name: 'pay',
          inputs: [{ name: 'to', type: 'address', internalType: 'address payable' }],
          outputs: [{ name: '', type: 'tuple', components: [], internalType: 'struct A' }],
          stateMutability: 'nonpayable',
        },
      ],
    },
    call_value: 7,
    consume_user_resource_percent: 100,
    origin_energy_limit: 10_000_000,
    origin_address: owner,
    bytecode: '6080604052',
    name: 'Payer',
  },
}

function call(value: Contract['value']): Contract {
  const type = 'TriggerSmartContract'
  return { type, value: { owner_address: owner, contract_address: token, ...value } }
}

function stake(type: string, value: Contract['value']): Contract {
  return { type, value: { owner_address: owner, ...value } }
}

/** As TronWeb's `genContractAddress`, which it keeps to itself. */
function contractOf(txId: string): string {
  return `41${keccak256(`0x${txId}${owner}`).slice(26)}`
}
