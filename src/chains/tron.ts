import { fromHex } from '../base/bytes.ts'
import { KmsError } from '../base/errors.ts'
import type { PublicKey, Signature } from '../base/model.ts'
import { defineChain, type Own } from './chain.ts'
import { bip32Keys } from './family/bip32-paths.ts'
import { fillNothing } from './family/complete.ts'
import { addressOf } from './family/evm-key.ts'
import { splitSignature } from './family/evm-signature.ts'
import { firstKey, onlySignature, ownKey } from './family/single-key.ts'
import { tronAddressText } from './family/tron-address.ts'
import { networkFee } from './family/tron-fee.ts'
import { describeTx } from './family/tron-intent.ts'
import { decodeTronJson, type TronTx } from './family/tron-json.ts'

/** DESIGN 6: 1,000 TRX, in SUN. */
const maxFeeLimit = 1_000_000_000n

export const tron = defineChain<TronTx>({
  id: 'TRON',
  name: 'TRON',
  key: {
    curve: 'secp256k1',
    // SLIP-44: 195, on the test networks as well.
    derivation: bip32Keys("m/44'/195'/0'/0"),
    text: { kind: 'hex', prefix: '' },
  },
  generates: 'mnemonic',
  walletShape: ['mnemonic', 'xpub', 'privateKey'],
  address: publicKey => tronAddressText(hexAddressOf(publicKey)),
  keys: firstKey,
  decode: (serialized, own) => decodeTronJson(serialized, hexAddressOf(ownKey(own)), own.settings),
  intent: describeTx,
  fill: fillNothing,
  claims: ({ txId }) => [`tx/${txId}`],
  messages: tx => [{ key: 0, algorithm: 'ecdsa-secp256k1', message: hashOf(tx) }],
  assemble: (tx, _own, signatures) => ({
    txData: withSignature(tx, onlySignature(signatures)),
    txId: tx.txId,
  }),
  decodeSigned: readSigned,
  feeCap: tx => maxFeeLimit + networkFee(tx),
  order: 'free',
  broadcast: { path: '/v3/tron/broadcast', offchain: false },
})

function hexAddressOf(publicKey: PublicKey): string {
  return `41${addressOf(publicKey).slice(2)}`
}

function hashOf({ txId }: TronTx): Uint8Array {
  return fromHex(txId) ?? new Uint8Array()
}

/** As TronWeb writes it: r and s in lower case, 27 and the parity in upper case, as the last member. */
function withSignature({ text }: TronTx, signature: Signature): string {
  const { r, s, parity } = splitSignature(signature)
  const digits = `${r.slice(2)}${s.slice(2)}${parity === 0 ? '1B' : '1C'}`
  return `${text.slice(0, -1)},"signature":["${digits}"]}`
}

function readSigned(txData: string, _tx: TronTx, own: Own): TronTx {
  const [, unsigned] = /^(.*),"signature":\["[0-9a-f]{128}1[BC]"\]\}$/s.exec(txData) ?? []
  if (unsigned === undefined) {
    throw new KmsError('unexpected', 'the signed transaction does not have one signature')
  }
  return decodeTronJson(`${unsigned}}`, hexAddressOf(ownKey(own)), own.settings)
}
