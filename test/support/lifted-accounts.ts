import { expect } from 'bun:test'
import {
  encodeAddress,
  makeAssetTransferTxnWithSuggestedParamsFromObject,
  makePaymentTxnWithSuggestedParamsFromObject,
} from 'algosdk'
import type { Output } from '../../src/base/model.ts'
import { algo } from '../../src/chains/algo.ts'
import { egld } from '../../src/chains/egld.ts'
import { flow } from '../../src/chains/flow.ts'
import { klay } from '../../src/chains/klay.ts'
import { tron } from '../../src/chains/tron.ts'
import * as algorand from './algo.ts'
import { ed25519Own, verifiesEd25519 } from './ed25519.ts'
import * as multiversx from './egld.ts'
import { from, type Json, key, own, pendingOf, publicKeyOf } from './evm.ts'
import * as flows from './flow.ts'
import { senderRaw } from './klay.ts'
import { readKlay } from './klay-raw.ts'
import { type LiftedPayment, mostOf64Bits, note } from './lifted-payments.ts'
import * as trons from './tron.ts'

/** TRON, ALGO, EGLD, FLOW and KLAY. */
export const liftedOnAccountChains: readonly LiftedPayment[] = [
  ...liftedOnTron(),
  ...liftedOnAlgo(),
  ...liftedOnKlay(),
  liftedOnFlow(5),
  liftedOnFlow(128),
  liftedOnFlow(1_000),
  liftedOnEgld(),
]

function liftedOnTron(): readonly LiftedPayment[] {
  const { owner, ownerText, somebody, somebodyText, tronKey } = trons
  const operations = '7fff1fc0033e0000000000000000000000000000000000000000000000000000'
  const threshold = {
    threshold: 2,
    keys: [
      { address: somebody, weight: 1 },
      { address: owner, weight: 2 },
    ],
  }
  const active = { type: 2, permission_name: 'a b', operations, ...threshold }
  const witness = { type: 1, id: 1, permission_name: 'witness', ...threshold }
  const update = trons.unsigned({
    type: 'AccountPermissionUpdateContract',
    value: {
      owner_address: owner,
      owner: { type: 0, permission_name: 'owner', ...threshold },
      witness,
      actives: [active],
    },
  })
  const named = trons.withValue(update, {
    owner: { type: 'Owner', permission_name: 'owner', ...threshold },
    actives: [{ ...active, type: 'Active' }],
  })
  const keys = `${somebodyText}:1 ${ownerText}:2 threshold=2`
  const told = [
    { to: 'the network, for permissions', amount: 100_000_000n, asset: 'TRON', own: false },
    note(`owner: ${keys} type=OWNER name=owner`, 'TRON'),
    note(`witness: ${keys} type=WITNESS id=1 name=witness`, 'TRON'),
    note(`active: ${keys} type=ACTIVE name=a%20b operations=${operations}`, 'TRON'),
  ]
  return [update, named].map((json, i) => ({
    name: 'TRON.AccountPermissionUpdate',
    about: i === 0 ? 'as TronWeb writes it' : 'as a node writes it',
    chain: tron,
    pending: pendingOf(tron, json),
    own: trons.own,
    key: Uint8Array.from(Buffer.from(tronKey, 'hex')),
    intent: { kind: 'account-permissions', from: [ownerText], outputs: told },
    async check({ txData, txId }) {
      expect(txId).toBe(json.txID)
      if (json === update) expect(txData).toBe(await trons.signByLibrary(json))
    },
  }))
}

function liftedOnAlgo(): readonly LiftedPayment[] {
  const { account, algoJson, ownKey, otherKey, payment, seed, transfer } = algorand
  const thirdKey = Uint8Array.from(
    ed25519Own(new Uint8Array(32).fill(9), 'testnet').keys[0]?.bytes ?? [],
  )
  const [sender, receiver, third] = [ownKey, otherKey, thirdKey].map(encodeAddress)
  const { genesisID, genesisHash } = algoJson()
  const suggestedParams = {
    fee: 1_000,
    flatFee: true,
    firstValid: 21_000_000,
    lastValid: 21_001_000,
    genesisID: String(genesisID),
    genesisHash: Uint8Array.from((genesisHash as { data: readonly number[] }).data),
    minFee: 1_000,
  }
  const told = { sender: sender ?? '', receiver: receiver ?? '', amount: 5, suggestedParams }
  const coins = { to: receiver ?? '', amount: 5n, asset: 'ALGO', own: false }
  const asset = { ...coins, asset: 'ALGO:10458941' }
  const left = note('all that is left', 'ALGO')
  const lifted = (
    name: 'close' | 'rekey',
    about: string,
    json: Json,
    [kind, outputs]: readonly [string, readonly Output[]],
    theirs: { signTxn(key: Uint8Array): Uint8Array; txID(): string },
  ): LiftedPayment => ({
    name: `ALGO.${name}`,
    about,
    chain: algo,
    pending: pendingOf(algo, algoJson(json)),
    own: algorand.own,
    key: seed,
    intent: { kind, from: [sender ?? ''], outputs },
    check: ({ txData, txId }) => {
      const bytes = theirs.signTxn(Uint8Array.of(...seed, ...ownKey))
      expect([txData, txId]).toEqual([Buffer.from(bytes).toString('hex'), theirs.txID()])
    },
  })
  const closeRemainderTo = account(thirdKey)
  const closed = { ...told, closeRemainderTo: third ?? '' }
  const rekeyed = { ...told, rekeyTo: third ?? '' }
  return [
    lifted(
      'close',
      'a payment',
      { ...payment, closeRemainderTo },
      ['transfer+close', [coins, { ...coins, to: third ?? '', amount: 10n ** 16n }, left]],
      makePaymentTxnWithSuggestedParamsFromObject(closed),
    ),
    lifted(
      'close',
      'a transfer of an asset',
      { ...transfer, closeRemainderTo },
      ['token-transfer+close', [asset, { ...asset, to: third ?? '', amount: mostOf64Bits }, left]],
      makeAssetTransferTxnWithSuggestedParamsFromObject({ ...closed, assetIndex: 10_458_941 }),
    ),
    lifted(
      'rekey',
      'with a payment',
      { ...payment, reKeyTo: closeRemainderTo },
      ['transfer+rekey', [coins, note(`key=${third}`, 'ALGO')]],
      makePaymentTxnWithSuggestedParamsFromObject(rekeyed),
    ),
    lifted(
      'rekey',
      'with a transfer of an asset',
      { ...transfer, reKeyTo: closeRemainderTo },
      ['token-transfer+rekey', [asset, note(`key=${third}`, 'ALGO')]],
      makeAssetTransferTxnWithSuggestedParamsFromObject({ ...rekeyed, assetIndex: 10_458_941 }),
    ),
  ]
}

function liftedOnKlay(): readonly LiftedPayment[] {
  const [first, second] = [
    '033a514176466fa815ed481ffad09110a2d344f6c9b78c1d14afc351c3a51be33d',
    '0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798',
  ]
  const publicKey = `02a1${first}`
  // [2, [[1, first], [3, second]]]
  const multisig = `04f84b02f848e301a1${first}e303a1${second}`
  const keys: readonly (readonly [type: string, key: string, told: string])[] = [
    ['ACCOUNT_UPDATE', '01c0', 'legacy'],
    ['ACCOUNT_UPDATE', '03c0', 'fail'],
    ['ACCOUNT_UPDATE', publicKey, `${first}`],
    ['FEE_DELEGATED_ACCOUNT_UPDATE', multisig, `${first}:1 ${second}:3 threshold=2`],
    [
      'FEE_DELEGATED_ACCOUNT_UPDATE_WITH_RATIO',
      // [publicKey, the same as before, fail]
      `05e9a3${publicKey}81808203c0`,
      `payments: ${first}; account updates: same; fees of others: fail`,
    ],
  ]
  const asSender = keys.map(([type, keyText, told]): LiftedPayment => {
    const feeRatio = type.endsWith('RATIO') && { feeRatio: 30 }
    const json = { type, key: `0x${keyText}`, gas: 100_000, gasPrice: 25, nonce: 7, ...feeRatio }
    return {
      ...klayUpdate(json, 'account-update', told),
      about: `${type} ${told}`,
      check({ txData }) {
        const read = readKlay(txData, 8_217)
        expect(read).toMatchObject({ from, senders: [from], nonce: 7n, data: `0x${keyText}` })
        expect(read.feeRatio).toBe(feeRatio ? 30n : 0n)
      },
    }
  })
  return [...asSender, liftedAsFeePayer(publicKey, `${first}`)]
}

function liftedAsFeePayer(publicKey: string, told: string): LiftedPayment {
  const senderKey = new Uint8Array(32).fill(9)
  const sender = klay.address(publicKeyOf(senderKey), 'mainnet')
  const numbers = { nonce: 7n, gasPrice: 25n, gas: 100_000n, value: 0n, feeRatio: 0n } as const
  const update = { ...numbers, json: {}, type: 0x21, to: '0x', data: `0x${publicKey}` } as const
  const senderRawTransaction = senderRaw(update, sender, senderKey, 8_217)
  return {
    ...klayUpdate({ senderRawTransaction, feePayer: from }, 'fee-delegation', told),
    about: 'whose fee we pay',
    intent: {
      kind: 'fee-delegation',
      from: [sender],
      outputs: [note(`account key: ${told}`, 'KLAY')],
    },
    check({ txData }) {
      expect(readKlay(txData, 8_217)).toMatchObject({
        from: sender,
        senders: [sender],
        feePayer: from,
        payers: [from],
        data: `0x${publicKey}`,
      })
    },
  }
}

function klayUpdate(json: Json, kind: string, told: string) {
  return {
    name: 'KLAY.AccountUpdate',
    chain: klay,
    pending: pendingOf(klay, json),
    own,
    key,
    intent: { kind, from: [from], outputs: [note(`account key: ${told}`, 'KLAY')] },
  }
}

function liftedOnFlow(weight: number): LiftedPayment {
  const json = { type: 1, body: { ...flows.payments.addKey.body, weight } }
  const lengths: Readonly<Record<number, string>> = { 5: 'f845', 128: 'f846', 1000: 'f847' }
  const digits: Readonly<Record<number, string>> = { 5: '05', 128: '8180', 1000: '8203e8' }
  const argument = `${lengths[weight]}b840${flows.publicKey}0303${digits[weight]}`
  return {
    name: 'FLOW.key-with-weight',
    about: `weight ${weight}`,
    chain: flow,
    pending: pendingOf(flow, json),
    own: flows.ownOf('original'),
    completion: flows.completion,
    key: flows.key,
    intent: {
      kind: 'add-key-with-weight',
      from: [flows.account],
      outputs: [note(`public key ${flows.publicKey} of weight ${weight}`, 'FLOW')],
    },
    check({ txData }) {
      const inHex = Buffer.from(JSON.stringify({ type: 'String', value: argument })).toString('hex')
      expect(txData.toLowerCase()).toContain(inHex)
    },
  }
}

function liftedOnEgld(): LiftedPayment {
  const { contract, good, seed, to } = multiversx
  const heir = Buffer.from(ed25519Own(new Uint8Array(32).fill(8), 'mainnet').keys[0]?.bytes ?? [])
  const data = `ChangeOwnerAddress@${heir.toString('hex')}`
  return {
    name: 'EGLD.ChangeOwnerAddress',
    about: 'to somebody',
    chain: egld,
    pending: pendingOf(egld, { ...good, to: contract, value: '0', data }),
    own: multiversx.own,
    completion: multiversx.completion,
    key: seed,
    intent: {
      kind: 'change-owner',
      from: [multiversx.from],
      outputs: [
        { to: contract, amount: 0n, asset: 'EGLD', own: false },
        note(`owner ${to}`, 'EGLD'),
      ],
    },
    check({ txData }) {
      const { signature, ...json } = JSON.parse(txData)
      expect(Buffer.from(json.data, 'base64').toString()).toBe(data)
      expect(json).toMatchObject({ receiver: contract, value: '0' })
      const publicKey = multiversx.own.keys[0]?.bytes ?? never()
      const message = Buffer.from(JSON.stringify(json))
      expect(verifiesEd25519(publicKey, message, Buffer.from(signature, 'hex'))).toBe(true)
    },
  }
}

function never(): never {
  throw new Error('there is none')
}
