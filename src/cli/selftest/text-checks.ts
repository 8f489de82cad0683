import { base32Text } from '../../base/base32.ts'
import { base58Text, fromBase58 } from '../../base/base58.ts'
import { hex, utf8 } from '../../base/bytes.ts'
import { decodeBech32, encodeBech32 } from '../../chains/codec/bech32.ts'
import { encodeCashaddr } from '../../chains/codec/cashaddr.ts'
import { findChain } from '../../chains/index.ts'
import type { SelfCheck } from './check.ts'
import { bytesOf } from './published.ts'

const base58Source = 'draft-msporny-base58-03, section 5'
const greeting = 'Hello World!'

/** How keys and addresses are written. */
export const textChecks: readonly SelfCheck[] = [
  {
    name: 'base58',
    source: base58Source,
    expected: '2NEpo7TZRRrLZSi2U',
    actual: () => base58Text(utf8(greeting)),
  },
  {
    name: 'base58, read',
    source: base58Source,
    expected: hex(utf8(greeting)),
    actual: () => hex(fromBase58('2NEpo7TZRRrLZSi2U', greeting.length) ?? new Uint8Array()),
  },
  {
    name: 'base32',
    source: 'RFC 4648, section 10',
    expected: 'MZXW6YTBOI',
    actual: () => base32Text(utf8('foobar')),
  },
  {
    name: 'bech32',
    source: 'BIP-173, valid strings',
    expected: 'a12uel5l abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw',
    actual: () =>
      [encodeBech32('a', new Uint8Array()), encodeBech32('abcdef', lettersOfBech32)].join(' '),
  },
  {
    name: 'bech32 with a wrong checksum',
    source: 'BIP-173, invalid strings',
    expected: 'refused',
    actual: () => (decodeBech32('a', 'a12uel5m') === undefined ? 'refused' : 'taken'),
  },
  {
    name: 'address of Bitcoin',
    source: 'BIP-173, examples',
    expected: 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4',
    actual() {
      const bytes = bytesOf('0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798')
      return findChain('BTC')?.address({ curve: 'secp256k1', bytes }, 'mainnet') ?? ''
    },
  },
  {
    name: 'cashaddr',
    source: 'cashaddr.md of Bitcoin Cash, test vectors',
    expected: 'bitcoincash:qr6m7j9njldwwzlg9v7v53unlr4jkmx6eylep8ekg2',
    actual: () =>
      encodeCashaddr('bitcoincash', 'P2PKH', bytesOf('f5bf48b397dae70be82b3cca4793f8eb2b6cdac9')) ??
      '',
  },
]

/** 0 to 31, five bits each: all letters of the alphabet in their order. */
const lettersOfBech32 = bytesOf('00443214c74254b635cf84653a56d7c675be77df')
