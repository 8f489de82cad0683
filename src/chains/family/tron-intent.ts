import { fromHex } from '../../base/bytes.ts'
import type { Intent, Output } from '../../base/model.ts'
import { byteText } from './byte-text.ts'
import { describeCall } from './evm-intent.ts'
import { refused } from './refusals.ts'
import { tronAddressText } from './tron-address.ts'
import { permissionTypes, resources, type TronContract, type ValueOf } from './tron-contracts.ts'
import { networkFee, permissionPrice, tokenPrice } from './tron-fee.ts'
import type { TronTx } from './tron-json.ts'

type Told = Pick<Intent, 'kind' | 'outputs' | 'unread'> & { readonly from?: readonly string[] }

export function describeTx(tx: TronTx): Intent {
  const { head, contract, permissionId } = tx
  const { outputs, ...told } = tell(contract)
  return {
    from: [tronAddressText(contract.value.owner_address)],
    ...told,
    outputs: [...outputs, ...tellPermission(permissionId), ...tellMemo(head.data)],
    fee: { amount: head.fee_limit + networkFee(tx), asset: 'TRON' },
    expiry: Number(head.expiration),
  }
}

function tell({ type, value }: TronContract): Told {
  switch (type) {
    case 'TransferContract':
      return { kind: 'transfer', outputs: [payment(value, 'TRON')] }
    case 'TransferAssetContract':
      return { kind: 'token-transfer', outputs: [payment(value, assetOf(value.asset_name))] }
    case 'TriggerSmartContract':
      return tellCall(value)
    case 'CreateSmartContract':
      return tellCreation(value)
    case 'AssetIssueContract':
      return tellToken(value)
    case 'FreezeBalanceContract':
    case 'FreezeBalanceV2Contract':
      return { kind: 'stake', outputs: [stake(value.frozen_balance, stakedFor(value))] }
    case 'AccountPermissionUpdateContract':
      return tellPermissions(value)
    case 'UnfreezeBalanceV2Contract':
      return { kind: 'unstake', outputs: [stake(value.unfreeze_balance, stakedFor(value))] }
  }
}

type Payment = Pick<ValueOf<'TransferContract'>, 'owner_address' | 'to_address' | 'amount'>

function payment({ owner_address, to_address, amount }: Payment, asset: string): Output {
  return { to: tronAddressText(to_address), amount, asset, own: to_address === owner_address }
}

/** TRC-10 tokens have a number for a name; other names are of before 2018 and no longer valid. */
function assetOf(name: string): string {
  const id = Buffer.from(name, 'hex').toString('latin1')
  if (/^[1-9]\d{0,18}$/.test(id)) return `TRON:${id}`
  throw refused('asset_name is not the number of a TRC-10 token')
}

function tellCall(call: ValueOf<'TriggerSmartContract'>): Told {
  const { owner_address, contract_address, call_value, data } = call
  const asEthereum = {
    to: `0x${contract_address.slice(2)}`,
    value: call_value,
    data: `0x${data}`,
  } as const
  const told = inBase58(describeCall(asEthereum, `0x${owner_address.slice(2)}`, 'TRON'))
  const tokens = tokensFor(call, tronAddressText(contract_address))
  // Without data it is a call all the same: of the function that takes what no other does.
  const isCall = data === '' && { kind: 'contract-call', unread: true }
  return { ...told, ...isCall, outputs: [...told.outputs, ...tokens] }
}

function inBase58({ kind, from, outputs, unread }: Intent): Told {
  const format = (text: string) =>
    text.replace(/\b0x([0-9a-f]{40})\b/, (_, digits: string) => tronAddressText(`41${digits}`))
  return {
    kind,
    from: from.map(format),
    outputs: outputs.map(output => ({
      ...output,
      to: format(output.to),
      asset: format(output.asset),
    })),
    ...(unread && { unread }),
  }
}

function tellCreation(creation: ValueOf<'CreateSmartContract'>): Told {
  const [contract] = creation.new_contract
  const to = 'new contract'
  const coins = { to, amount: contract?.call_value ?? 0n, asset: 'TRON', own: false }
  return {
    kind: 'contract-creation',
    outputs: [coins, ...tokensFor(creation, to)],
    unread: true,
  }
}

/** TRC-10 tokens that go along with a call. */
function tokensFor(
  {
    call_token_value: amount,
    token_id: id,
  }: Pick<ValueOf<'TriggerSmartContract'>, 'call_token_value' | 'token_id'>,
  to: string,
): readonly Output[] {
  return amount === 0n ? [] : [{ to, amount, asset: `TRON:${id}`, own: false }]
}

function tellToken(token: ValueOf<'AssetIssueContract'>): Told {
  const { owner_address, name, total_supply, ...terms } = token
  const owner = tronAddressText(owner_address)
  const made = `TRON:new ${hexText(name)}`
  return {
    kind: 'token-creation',
    outputs: [
      { to: owner, amount: total_supply, asset: made, own: true },
      { to: 'the network, for a new token', amount: tokenPrice, asset: 'TRON', own: false },
      ...remark(tellTerms(terms)),
    ],
  }
}

type TokenTerms = Omit<ValueOf<'AssetIssueContract'>, 'owner_address' | 'name' | 'total_supply'>

/** At what price, when and by what rules a new token is had; 0 and nothing say nothing. */
function tellTerms({ abbr, description, url, frozen_supply, ...numbers }: TokenTerms): string {
  const texts = Object.entries({ abbr, description, url })
    .filter(([, digits]) => digits !== '')
    .map(([name, digits]) => `${name}=${hexText(digits)}`)
  const counts = Object.entries(numbers)
    .filter(([, value]) => value !== 0n)
    .map(([name, value]) => `${name}=${value}`)
  const frozen = frozen_supply.map(
    ({ frozen_amount, frozen_days }) => `frozen=${frozen_amount} for ${frozen_days} days`,
  )
  return [...texts, ...counts, ...frozen].join(' ')
}

type Permissions = ValueOf<'AccountPermissionUpdateContract'>

/** Who may do what with the account from then on: what is not named is gone. */
function tellPermissions({ owner, witness, actives }: Permissions): Told {
  return {
    kind: 'account-permissions',
    outputs: [
      { to: 'the network, for permissions', amount: permissionPrice, asset: 'TRON', own: false },
      ...owner.flatMap(each => remark(`owner: ${spellPermission(each)}`)),
      ...witness.flatMap(each => remark(`witness: ${spellPermission(each)}`)),
      ...actives.flatMap(each => remark(`active: ${spellPermission(each)}`)),
    ],
  }
}

function spellPermission(permission: Permissions['owner'][number]): string {
  const { type, id, permission_name: name, threshold, parent_id, operations, keys } = permission
  return [
    ...keys.map(({ address, weight }) => `${tronAddressText(address)}:${weight}`),
    `threshold=${threshold}`,
    `type=${permissionTypes[Number(type)] ?? type}`,
    ...(id === 0n ? [] : [`id=${id}`]),
    ...(parent_id === 0n ? [] : [`parent=${parent_id}`]),
    ...(name === '' ? [] : [`name=${encodeURIComponent(name)}`]),
    ...(operations === '' ? [] : [`operations=${operations}`]),
  ].join(' ')
}

type Stake = { readonly resource: bigint } & Partial<
  Pick<ValueOf<'FreezeBalanceContract'>, 'frozen_duration' | 'receiver_address'>
>

/** Coins that are staked stay the owner's; what they yield may be another's. */
function stakedFor({ resource, frozen_duration: days, receiver_address: receiver }: Stake): string {
  const words = [
    `stake for ${resources[Number(resource)]}`,
    ...(receiver ? [`of ${tronAddressText(receiver)}`] : []),
    ...(days ? [`for ${days} days`] : []),
  ]
  return words.join(' ')
}

function stake(amount: bigint, to: string): Output {
  return { to, amount, asset: 'TRON', own: true }
}

/** Which of the account's permissions the signature is to count for; 0 is the owner's. */
function tellPermission(id: bigint): readonly Output[] {
  return remark(id === 0n ? '' : `by permission ${id}`)
}

function tellMemo(data: string): readonly Output[] {
  return remark(data === '' ? '' : `memo ${hexText(data)}`)
}

/** What pays nobody, as an output whose recipient is a description. */
function remark(to: string): readonly Output[] {
  return to === '' ? [] : [{ to, amount: 0n, asset: 'TRON', own: false }]
}

function hexText(digits: string): string {
  return byteText(fromHex(digits) ?? new Uint8Array())
}
