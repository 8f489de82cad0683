import type { Message } from '../codec/protobuf.ts'
import {
  address,
  flag,
  hexBytes,
  many,
  nameBytes,
  one,
  oneOf,
  required,
  text,
  whole,
} from './tron-fields.ts'

/** Messages of java-tron's protocol, `core/contract/*.proto`: the fields that are set in payments. */

/** ResourceCode */
export const resources = ['BANDWIDTH', 'ENERGY', 'TRON_POWER'] as const

/** What compilers write into ABIs and TRON has no field for. */
const solidityOnly = ['internalType', 'components']

const parameter = { indexed: flag(1), name: text(2), type: text(3) }

const abiEntry = {
  anonymous: flag(1),
  constant: flag(2),
  name: text(3),
  inputs: many(4, parameter, solidityOnly),
  outputs: many(5, parameter, solidityOnly),
  type: oneOf(6, [
    'UNKNOWNENTRYTYPE',
    'CONSTRUCTOR',
    'FUNCTION',
    'EVENT',
    'FALLBACK',
    'RECEIVE',
    'ERROR',
  ]),
  payable: flag(7),
  stateMutability: oneOf(8, ['UNKNOWNMUTABILITYTYPE', 'PURE', 'VIEW', 'NONPAYABLE', 'PAYABLE']),
}

const smartContract = {
  origin_address: required(address(1)),
  abi: one(3, { entrys: many(1, abiEntry) }),
  bytecode: hexBytes(4),
  call_value: whole(5),
  consume_user_resource_percent: whole(6),
  name: text(7),
  origin_energy_limit: whole(8),
}

/** Permission.PermissionType */
export const permissionTypes = ['OWNER', 'WITNESS', 'ACTIVE'] as const

const permission = {
  type: oneOf(1, permissionTypes, 'by name or number'),
  id: whole(2),
  permission_name: text(3),
  threshold: whole(4),
  parent_id: whole(5),
  operations: hexBytes(6),
  keys: many(7, { address: required(address(1)), weight: whole(2) }),
}

/** The types that are signed, with their numbers (Transaction.Contract.ContractType). */
export const contracts = {
  TransferContract: {
    number: 1n,
    shape: {
      owner_address: required(address(1)),
      to_address: required(address(2)),
      amount: required(whole(3)),
    },
  },
  TransferAssetContract: {
    number: 2n,
    shape: {
      asset_name: required(nameBytes(1)),
      owner_address: required(address(2)),
      to_address: required(address(3)),
      amount: required(whole(4)),
    },
  },
  AssetIssueContract: {
    number: 6n,
    shape: {
      owner_address: required(address(1)),
      name: required(nameBytes(2)),
      abbr: nameBytes(3),
      total_supply: required(whole(4)),
      frozen_supply: many(5, { frozen_amount: whole(1), frozen_days: whole(2) }),
      trx_num: whole(6),
      precision: whole(7),
      num: whole(8),
      start_time: whole(9),
      end_time: whole(10),
      vote_score: whole(16),
      description: nameBytes(20),
      url: nameBytes(21),
      free_asset_net_limit: whole(22),
      public_free_asset_net_limit: whole(23),
      public_free_asset_net_usage: whole(24),
      public_latest_free_net_time: whole(25),
    },
  },
  FreezeBalanceContract: {
    number: 11n,
    shape: {
      owner_address: required(address(1)),
      frozen_balance: required(whole(2)),
      frozen_duration: whole(3),
      resource: oneOf(10, resources),
      receiver_address: address(15),
    },
  },
  CreateSmartContract: {
    number: 30n,
    shape: {
      owner_address: required(address(1)),
      new_contract: required(one(2, smartContract)),
      call_token_value: whole(3),
      token_id: whole(4),
    },
  },
  TriggerSmartContract: {
    number: 31n,
    shape: {
      owner_address: required(address(1)),
      contract_address: required(address(2)),
      call_value: whole(3),
      data: hexBytes(4),
      call_token_value: whole(5),
      token_id: whole(6),
    },
  },
  FreezeBalanceV2Contract: {
    number: 54n,
    shape: {
      owner_address: required(address(1)),
      frozen_balance: required(whole(2)),
      resource: oneOf(3, resources),
    },
  },
  AccountPermissionUpdateContract: {
    number: 46n,
    shape: {
      owner_address: required(address(1)),
      owner: required(one(2, permission)),
      witness: one(3, permission),
      actives: many(4, permission),
    },
  },
  UnfreezeBalanceV2Contract: {
    number: 55n,
    shape: {
      owner_address: required(address(1)),
      unfreeze_balance: required(whole(2)),
      resource: oneOf(3, resources),
    },
  },
} as const

export type TronType = keyof typeof contracts
export type ValueOf<Type extends TronType> = Message<(typeof contracts)[Type]['shape']>

/** What a transaction does, with the members of its type. */
export type TronContract = {
  readonly [Type in TronType]: { readonly type: Type; readonly value: ValueOf<Type> }
}[TronType]

export function isTronType(type: unknown): type is TronType {
  return typeof type === 'string' && Object.hasOwn(contracts, type)
}
