import assert from 'node:assert/strict'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { membersOf } from '../members.ts'
import type { FakeChain, FakePending, Settled } from './fake-chain.ts'

/** TRON, read and verified by TronWeb. */
export const tronNetwork: FakeChain = {
  broadcastPath: '/v3/tron/broadcast',
  offchain: false,
  errorCode: 'tron.broadcast.failed',
  verify: (txData, pending) => settle(txData, pending),
}

async function settle(txData: string, pending: FakePending): Promise<Settled> {
  // Half a megabyte of code, for tests that use no TRON.
  const { TronWeb, utils } = await import('../tronweb.ts')
  const { signature, ...asked } = JSON.parse(txData)
  const [digits, ...others] = signature
  const unsigned = JSON.parse(String(pending.serializedTransaction))
  assert(JSON.stringify({ ...unsigned, signature }) === txData, 'not what was asked for')
  assert(utils.transaction.txCheck(asked), 'raw_data, raw_data_hex and txID do not agree')
  assert(others.length === 0 && /^[0-9a-f]{128}1[BC]$/.test(digits), 'not with one signature')
  const s = BigInt(`0x${digits.slice(64, 128)}`)
  assert(s <= secp256k1.Point.Fn.ORDER / 2n, 'with a high s')
  const [{ type, parameter }] = asked.raw_data.contract
  const signer = utils.crypto.ecRecover(asked.txID, digits).toLowerCase()
  assert(signer === parameter.value.owner_address, 'signed with the key of somebody else')
  const text = (address: unknown) => TronWeb.address.fromHex(String(address))
  return {
    txId: asked.txID,
    from: [text(signer)],
    paid: paymentsOf(type, parameter.value, text),
    claims: [`tx/${asked.txID}`],
  }
}

function paymentsOf(
  type: string,
  value: unknown,
  text: (address: unknown) => string,
): Settled['paid'] {
  const { to_address, contract_address, amount, asset_name, data } = membersOf(value)
  if (type === 'TransferContract') {
    return [{ to: text(to_address), amount: BigInt(String(amount)), asset: 'TRON' }]
  }
  if (type === 'TransferAssetContract') {
    const token = Buffer.from(String(asset_name), 'hex').toString()
    return [{ to: text(to_address), amount: BigInt(String(amount)), asset: `TRON:${token}` }]
  }
  const [, to, units] = /^a9059cbb0{24}(.{40})(.{64})$/.exec(String(data)) ?? []
  if (to === undefined) return []
  const asset = `TRON:${text(contract_address)}`
  return [{ to: text(`41${to}`), amount: BigInt(`0x${units}`), asset }]
}
