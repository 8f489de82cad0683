import { ripemd160 } from '@noble/hashes/legacy.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { hex, utf8 } from '../base/bytes.ts'
import { KmsError } from '../base/errors.ts'
import { asInteger, asRecord } from '../base/json.ts'
import type { ChainReads, Completion, Intent, Network, PublicKey } from '../base/model.ts'
import { defineChain, type Own } from './chain.ts'
import { encodeBech32 } from './codec/bech32.ts'
import { bip32Keys } from './family/bip32-paths.ts'
import { decodeSigned, encodeSigned, signBytes } from './family/bnb-amino.ts'
import { decodeBnbJson } from './family/bnb-json.ts'
import type { BnbTx, FilledTx } from './family/bnb-tx.ts'
import { readCompletionNumber } from './family/completion-number.ts'
import { refused } from './family/refusals.ts'
import { firstKey, onlySignature, ownKey } from './family/single-key.ts'
import { unusedNumber } from './family/unused-number.ts'

const prefixes = { mainnet: 'bnb', testnet: 'tbnb' } as const
/** Pinned: the hosts that told the original are gone, and a name from elsewhere is not believed. */
const chainIds = { mainnet: 'Binance-Chain-Tigris', testnet: 'Binance-Chain-Ganges' } as const
/** What a transfer cost, in units of 1e-8 BNB, for each coin that is sent: no transaction names it. */
const transferFee = 37_500n

/** The Beacon Chain (BEP-2), which ended in 2024: payments are signed, and nothing confirms them. */
export const bnb = defineChain<BnbTx>({
  id: 'BNB',
  name: 'BNB Beacon Chain',
  key: {
    curve: 'secp256k1',
    // SLIP-44: 714. The original makes random keys of mnemonics, so that no testnet path is taken.
    derivation: bip32Keys("m/44'/714'/0'/0"),
    text: { kind: 'hex', prefix: '' },
  },
  generates: 'key',
  walletShape: ['address', 'privateKey', 'mnemonic', 'xpub'],
  address: addressOf,
  keys: firstKey,
  decode: (serialized, own) => decodeBnbJson(serialized, ownAddress(own)),
  intent: describeTx,
  complete: (_tx, own, reads) => readAccount(ownAddress(own), reads),
  fill: fillIn,
  claims: (tx, own) => [`nonce/${ownAddress(own)}/${requireFilled(tx).sequence}`],
  messages(tx, { network }) {
    const message = sha256(utf8(signBytes(requireFilled(tx), chainIds[network])))
    return [{ key: 0, algorithm: 'ecdsa-secp256k1', message }]
  },
  assemble(tx, own, signatures) {
    const { bytes: signature } = onlySignature(signatures)
    const publicKey = ownKey(own).bytes
    const bytes = encodeSigned({ tx: requireFilled(tx), publicKey, signature })
    return { txData: hex(bytes), txId: hex(sha256(bytes)).toUpperCase() }
  },
  decodeSigned: readSigned,
  // The network sets the fee and the transaction has no say in it.
  feeCap: tx => feeOf(tx),
  order: 'by-address',
  broadcast: { path: '/v3/bnb/broadcast', offchain: false },
})

function addressOf({ curve, bytes }: PublicKey, network: Network): string {
  if (curve === 'secp256k1' && bytes.length === 33) {
    return encodeBech32(prefixes[network], ripemd160(sha256(bytes)))
  }
  throw new KmsError('unexpected', 'a key is not one of the Beacon Chain')
}

function ownAddress(own: Own): string {
  return addressOf(ownKey(own), own.network)
}

function describeTx(tx: BnbTx, own: Own): Intent {
  const from = ownAddress(own)
  // The memo says whose money it is where many share an address.
  const memo = tx.memo === '' ? '' : `?memo=${encodeURIComponent(tx.memo)}`
  const outputs = tx.outputs.flatMap(({ address, coins }) =>
    coins.map(({ denom, amount }) => ({
      to: `${address}${memo}`,
      amount,
      asset: denom === 'BNB' ? 'BNB' : `BNB:${denom}`,
      own: address === from,
    })),
  )
  return {
    kind: outputs.every(({ asset }) => asset === 'BNB') ? 'transfer' : 'token-transfer',
    from: [from],
    outputs,
    fee: { amount: feeOf(tx), asset: 'BNB' },
  }
}

function feeOf({ outputs }: BnbTx): bigint {
  return transferFee * BigInt(outputs.flatMap(({ coins }) => coins).length)
}

/** Highest numbers that an account can have and JSON tell exactly. */
const numbers = { least: 0n, most: BigInt(Number.MAX_SAFE_INTEGER) }

async function readAccount(address: string, reads: ChainReads): Promise<Completion> {
  reads.warn('chain is retired', 'the Beacon Chain ended in 2024: nothing confirms this payment')
  const answer = await reads.get(`/v3/bnb/account/${address}`)
  const account_number = readNumber(answer, 'account_number').toString()
  const sequence = await unusedNumber(address, readNumber(answer, 'sequence'), reads)
  return { account_number, sequence: sequence.toString() }
}

function readNumber(answer: unknown, name: string): bigint {
  const value = asInteger(asRecord(answer)?.get(name))
  if (value !== undefined && value >= 0) return BigInt(value)
  throw new KmsError('network', `the answer for the account has no whole number as ${name}`)
}

function fillIn(tx: BnbTx, completion: Completion): FilledTx {
  const { account_number: _, sequence: __, ...others } = completion
  if (Object.keys(others).length > 0) {
    throw refused('completion sets a field that the transaction does not lack')
  }
  return {
    ...tx,
    accountNumber: readCompletionNumber(completion, 'account_number', numbers),
    sequence: readCompletionNumber(completion, 'sequence', numbers),
  }
}

function requireFilled({ accountNumber, sequence, ...tx }: BnbTx): FilledTx {
  if (accountNumber !== undefined && sequence !== undefined)
    return { ...tx, accountNumber, sequence }
  throw new KmsError('unexpected', 'a transaction was to be signed before it was complete')
}

function readSigned(txData: string, _tx: BnbTx, own: Own): FilledTx {
  const { tx, publicKey, signature } = decodeSigned(txData, prefixes[own.network])
  if (hex(publicKey) === hex(ownKey(own).bytes) && signature.length === 64) return tx
  throw new KmsError('unexpected', 'the signed bytes are not those of a transfer we signed')
}
