import { describe, expect, test } from 'bun:test'
import { Keypair, PublicKey, SystemProgram, Transaction } from '@solana/web3.js'
import {
  decodeSignedTransaction,
  encodeAddress,
  makeAssetTransferTxnWithSuggestedParamsFromObject,
  makePaymentTxnWithSuggestedParamsFromObject,
} from 'algosdk'
import fc from 'fast-check'
import { Transaction as ThorTransaction } from 'thor-devkit'
import { vet } from '../../src/chains/vet.ts'
import { account, algoJson, indexed, ownKey, seed, signAlgo } from '../support/algo.ts'
import { key, ownOf, pendingOf, signAll } from '../support/evm.ts'
import { alice, blockhash, prepareSol, signaturesOf } from '../support/sol-payments.ts'

// Random payments beside the libraries of the networks themselves: the same bytes.

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })
const address = fc.uint8Array({ minLength: 20, maxLength: 20 }).map(bytes => `0x${hexOf(bytes)}`)

test('VeChain: thor-devkit encodes, hashes and names a payment as we do', () => {
  const payments = fc.record({
    to: address,
    value: fc.bigInt(0n, 2n ** 96n),
    data: fc.uint8Array({ maxLength: 80 }).map(bytes => `0x${hexOf(bytes)}`),
    gasPriceCoef: fc.nat(255),
    expiration: fc.integer({ min: 1, max: 8_640 }),
    nonce: fc.integer({ min: 1 }),
    blockRef: fc.uint8Array({ minLength: 8, maxLength: 8 }).map(bytes => `0x${hexOf(bytes)}`),
  })
  const own = ownOf(key)
  fc.assert(
    fc.property(payments, ({ value, ...payment }) => {
      const pending = pendingOf(vet, { ...payment, value: value.toString() })
      const prepared = vet.prepare(pending, own, { gas: '1000000' })
      const { txData, txId } = prepared.seal(signAll(prepared, key))
      const { to, data, ...body } = payment
      const theirs = new ThorTransaction({
        chainTag: 0x4a,
        clauses: [{ to, value: `0x${value.toString(16)}`, data }],
        gas: 1_000_000,
        dependsOn: null,
        ...body,
      })
      expect(`0x${theirs.signingHash().toString('hex')}`).toBe(
        `0x${hexOf(prepared.requests[0]?.message ?? new Uint8Array())}`,
      )
      const decoded = ThorTransaction.decode(Buffer.from(txData.slice(2), 'hex'), false)
      expect(decoded.encode().equals(Buffer.from(txData.slice(2), 'hex'))).toBe(true)
      expect(decoded.origin).toBe(vet.address(own.keys[0] ?? never(), 'mainnet'))
      expect(decoded.id).toBe(txId)
    }),
    { numRuns },
  )
})

describe('Algorand: algosdk signs the same bytes', () => {
  const common = fc.record({
    to: bytes32,
    amount: fc.nat(),
    fee: fc.integer({ min: 1_000, max: 100_000 }),
    note: fc.uint8Array({ maxLength: 64 }),
    assetIndex: fc.option(fc.integer({ min: 1, max: 2 ** 40 }), { nil: undefined }),
  })

  test('for payments and transfers of assets', () => {
    const { genesisID, genesisHash } = algoJson()
    const hash = Uint8Array.from((genesisHash as { data: readonly number[] }).data)
    fc.assert(
      fc.property(common, ({ to, amount, fee, note, assetIndex }) => {
        const type = assetIndex === undefined ? { type: 'pay' } : { type: 'axfer', assetIndex }
        const noted = note.length === 0 ? {} : { note: indexed(note) }
        const { txData } = signAlgo({ ...type, to: account(to), amount, fee, ...noted })
        const suggestedParams = {
          fee,
          flatFee: true,
          firstValid: 21_000_000,
          lastValid: 21_001_000,
          genesisID: String(genesisID),
          genesisHash: hash,
          minFee: 1_000,
        }
        const told = {
          sender: encodeAddress(ownKey),
          receiver: encodeAddress(to),
          amount,
          suggestedParams,
          ...(note.length > 0 && { note }),
        }
        const theirs =
          assetIndex === undefined
            ? makePaymentTxnWithSuggestedParamsFromObject(told)
            : makeAssetTransferTxnWithSuggestedParamsFromObject({ ...told, assetIndex })
        expect(txData).toBe(hexOf(theirs.signTxn(Uint8Array.of(...seed, ...ownKey))))
        expect(decodeSignedTransaction(Buffer.from(txData, 'hex')).txn.txID()).toBe(theirs.txID())
      }),
      { numRuns },
    )
  })
})

test('Solana: web3.js compiles, and takes what we sign of it for signed', () => {
  const payer = Keypair.fromSecretKey(alice.pair)
  const transfers = fc.array(fc.record({ to: bytes32, lamports: fc.integer({ min: 1 }) }), {
    minLength: 1,
    maxLength: 5,
  })
  fc.assert(
    fc.property(transfers, payments => {
      const tx = new Transaction({ feePayer: payer.publicKey, recentBlockhash: blockhash })
      for (const { to, lamports } of payments) {
        const toPubkey = new PublicKey(to)
        tx.add(SystemProgram.transfer({ fromPubkey: payer.publicKey, toPubkey, lamports }))
      }
      const message = tx.serializeMessage()
      const prepared = prepareSol(message, [alice])
      expect(prepared.intent.outputs.map(({ to, amount }) => [to, amount])).toEqual(
        payments.map(({ to, lamports }) => [new PublicKey(to).toBase58(), BigInt(lamports)]),
      )
      const { txData } = prepared.seal(signaturesOf(prepared, [alice]))
      const wire = Buffer.from(txData.split('@')[0] ?? '', 'base64')
      const theirs = Transaction.from(wire)
      expect(theirs.verifySignatures()).toBe(true)
      tx.sign(payer)
      expect(hexOf(wire)).toBe(hexOf(tx.serialize()))
    }),
    { numRuns },
  )
})

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

function never(): never {
  throw new Error('there is none')
}
