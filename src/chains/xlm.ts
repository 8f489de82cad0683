import { sha256 } from '@noble/hashes/sha2.js'
import { concat, equalBytes, fromHex, hex, utf8 } from '../base/bytes.ts'
import { KmsError } from '../base/errors.ts'
import type { Intent, Network, PublicKey } from '../base/model.ts'
import { defineChain, type Own } from './chain.ts'
import { fillNothing } from './family/complete.ts'
import { firstKey, onlySignature, ownKey } from './family/single-key.ts'
import { decodeEnvelope, encodeEnvelope, type XlmTx } from './family/xlm-envelope.ts'
import { accountText } from './family/xlm-library.ts'
import type { XlmOperation } from './family/xlm-operation.ts'

const passphrases: Readonly<Record<Network, string>> = {
  mainnet: 'Public Global Stellar Network ; September 2015',
  testnet: 'Test SDF Network ; September 2015',
}
// SEP-5
const path = "m/44'/148'/i'"

export const xlm = defineChain<XlmTx>({
  id: 'XLM',
  name: 'Stellar',
  key: {
    curve: 'ed25519',
    derivation: { kind: 'slip10', path: { mainnet: path, testnet: path } },
    text: { kind: 'strkey' },
  },
  generates: 'key',
  walletShape: ['address', 'secret', 'mnemonic'],
  address: publicKey => addressOf(publicKey),
  keys: firstKey,
  decode(serialized, own) {
    const { tx, signatures } = decodeEnvelope(serialized, own.settings)
    if (signatures.length > 0) {
      throw new KmsError(
        'transaction-refused',
        'the envelope has a signature: it is to be signed here',
      )
    }
    refuseForeign(tx, addressOf(ownKey(own)))
    return tx
  },
  intent: describeTx,
  fill: fillNothing,
  claims({ source, sequence, bump }, { network }) {
    // The number of what others have signed is theirs; its fee is paid once.
    return [bump ? `tx/${hex(hashOf(bump.inner, network))}` : `sequence/${source}/${sequence}`]
  },
  messages: ({ body }, { network }) => [
    { key: 0, algorithm: 'ed25519', message: hashOf(body, network) },
  ],
  assemble(tx, own, signatures) {
    const signed = { hint: hintOf(ownKey(own)), signature: onlySignature(signatures).bytes }
    const txData = encodeEnvelope(bytesOf(tx.body), signed)
    return { txData, txId: hex(hashOf(tx.body, own.network)) }
  },
  decodeSigned: readSigned,
  // DESIGN 6: 1 XLM
  feeCap: () => 10_000_000n,
  order: 'free',
  broadcast: { path: '/v3/xlm/broadcast', offchain: false },
})

function refuseForeign(tx: XlmTx, own: string): void {
  const payer = payerOf(tx)
  if (payer === own) return
  throw new KmsError(
    'transaction-refused',
    `the source account is ${payer}, but the wallet that signs is ${own}`,
  )
}

function payerOf({ source, bump }: XlmTx): string {
  return bump?.payer ?? source
}

/** Of a fee that is paid for others it says as well what they do. */
function describeTx(tx: XlmTx): Intent {
  const { operations, source, memo, fee, minTime, maxTime, bump } = tx
  const kinds = bump ? ['fee-bump'] : operations.map(({ kind }) => kind)
  const payer = payerOf(tx)
  return {
    kind: [...new Set(kinds)].join('+'),
    from: [...new Set([payer, source])],
    outputs: operations.map(operation => ({
      to: recipientOf(operation, memo),
      amount: operation.amount,
      asset: operation.asset,
      own: operation.to === payer,
    })),
    fee: { amount: fee, asset: 'XLM' },
    expiry: Number(maxTime) * 1000,
    ...(minTime > 0n && { notBefore: Number(minTime) * 1000 }),
  }
}

/** Id and memo say whose money it is where many share an account. */
function recipientOf({ to, toId }: XlmOperation, memo: string | undefined): string {
  const details = [
    ...(toId === undefined ? [] : [`id=${toId}`]),
    ...(memo === undefined ? [] : [`memo=${memo}`]),
  ]
  return details.length === 0 ? to : `${to}?${details.join('&')}`
}

function readSigned(txData: string, _tx: XlmTx, own: Own): XlmTx {
  const { tx, signatures } = decodeEnvelope(txData, own.settings)
  const [signed, ...rest] = signatures
  const isOurs = signed !== undefined && equalBytes(signed.hint, hintOf(ownKey(own)))
  if (!isOurs || signed.signature.length !== 64 || rest.length > 0) {
    throw new KmsError('unexpected', 'the signed envelope does not have our signature alone')
  }
  return tx
}

/** TransactionSignaturePayload: the network, then the transaction with its type before it. */
function hashOf(body: string, network: Network): Uint8Array {
  return sha256(concat(sha256(utf8(passphrases[network])), bytesOf(body)))
}

function bytesOf(body: string): Uint8Array {
  const bytes = fromHex(body)
  if (bytes === undefined) throw new KmsError('unexpected', 'a body is not hex')
  return bytes
}

function hintOf({ bytes }: PublicKey): Uint8Array {
  return bytes.subarray(-4)
}

function addressOf({ curve, bytes }: PublicKey): string {
  if (curve === 'ed25519' && bytes.length === 32) return accountText(bytes)
  throw new KmsError('unexpected', 'a key is not one of Stellar')
}
