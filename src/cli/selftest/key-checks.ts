import { hex, utf8 } from '../../base/bytes.ts'
import type { SigningRequest } from '../../base/model.ts'
import * as bip32 from '../../secret/bip32.ts'
import * as cip3 from '../../secret/cip3.ts'
import type { KeyRoom } from '../../secret/key-room.ts'
import { mnemonicEntropy, mnemonicFromEntropy } from '../../secret/mnemonic.ts'
import { secretFrom } from '../../secret/secret.ts'
import { verify } from '../../secret/sign.ts'
import * as slip10 from '../../secret/slip10.ts'
import type { SelfCheck } from './check.ts'
import { bytesOf, revealed, secretOf } from './published.ts'

/** Keys out of mnemonics and seeds, and what they sign, where keys are used in earnest. */
export function keyChecks(room: KeyRoom): readonly SelfCheck[] {
  return [
    ...mnemonicChecks,
    bip32Check(room),
    slip10Check,
    cip3Check(room),
    ...signatures.map(published => signatureCheck(room, published)),
    ...unused,
  ]
}

const trezor = 'BIP-39, vectors.json of python-mnemonic'
const entropy = '9e885d952ad362caeb4efe34a8e91bd2'
const words = 'ozone drill grab fiber curtain grace pudding thank cruise elder eight picnic'

const mnemonicChecks: readonly SelfCheck[] = [
  {
    name: 'mnemonic of entropy',
    source: trezor,
    expected: words,
    actual() {
      using mnemonic = mnemonicFromEntropy(bytesOf(entropy))
      return mnemonic.use(bytes => Buffer.from(bytes).toString('latin1'))
    },
  },
  {
    name: 'entropy of a mnemonic',
    source: trezor,
    expected: entropy,
    actual() {
      using mnemonic = secretFrom(utf8(words))
      return revealed(mnemonicEntropy(mnemonic))
    },
  },
]

const seed = '000102030405060708090a0b0c0d0e0f'

function bip32Check(room: KeyRoom): SelfCheck {
  return {
    name: 'BIP-32',
    source: "BIP-32, test vector 1, m/0'/1/2'/2/1000000000",
    expected:
      'xpub6H1LXWLaKsWFhvm6RVpEL9P4KfRZSW7abD2ttkWP3SSQvnyA8FSVqNTEcYFgJS2UaFcxupHiYkro49S8yGasTvXEYBVPamhGW6cFJodrTHy',
    async actual() {
      using secret = secretOf(seed)
      const place = { path: "m/0'/1/2'/2/1000000000", version: 0x0488b21e }
      const { node, xpub } = await bip32.deriveAccount(secret, place, room.publicKey)
      node.wipe()
      return xpub
    },
  }
}

const slip10Check: SelfCheck = {
  name: 'SLIP-10 on ed25519',
  source: "SLIP-10, test vector 1, m/0'/1'/2'/2'/1000000000'",
  expected: '8f94d394a8e8fd6b1bc2f3f49f5c47e385281d5c17e65324b0f62483e37e8793',
  actual() {
    using secret = secretOf(seed)
    const path = "m/0'/1'/2'/2'/i'"
    using node = slip10.deriveNode(secret, path)
    return revealed(slip10.childPrivateKey(node, path, 1_000_000_000))
  },
}

function cip3Check(room: KeyRoom): SelfCheck {
  return {
    name: 'CIP-3, Icarus',
    source: 'CIP-3, Icarus.md, without passphrase',
    expected:
      'c065afd2832cd8b087c4d9ab7011f481ee1e0721e78ea5dd609f3ab3f156d245' +
      'd176bd8fd4ec60b4731c3918a2a72a0226c0cd119ec35b47e4d55884667f552a' +
      '23f7fdcd4a10c6cd2c7393ac61d877873e248f417634aa3d812af327ffe9d620',
    async actual() {
      const phrase =
        'eight country switch draw meat scout mystery blade tip drift useless good keep usage title'
      using mnemonic = secretFrom(utf8(phrase))
      using secret = mnemonicEntropy(mnemonic)
      const { node } = await cip3.deriveAccount(secret, 'm', room.publicKey)
      return revealed(node)
    },
  }
}

type PublishedSignature = {
  readonly name: string
  readonly source: string
  readonly key: string
  readonly request: Omit<SigningRequest, 'key'>
  readonly signature: string
}

const signatures: readonly PublishedSignature[] = [
  {
    name: 'ECDSA on secp256k1',
    source: 'RFC 6979, ecdsa.json of bitcoinjs-lib',
    key: '69ec59eaa1f4f2e36b639716b7c30ca86d9a5375c7b38d8918bd9c0ebc80ba64',
    request: {
      algorithm: 'ecdsa-secp256k1',
      // SHA-256 of "Computer science is no more about computers than astronomy is about telescopes."
      message: bytesOf('24833a5c2c927c9876d7a77e400577057598e0d7b0c96587ee8a37ea5381bede'),
    },
    signature:
      '7186363571d65e084e7f02b0b77c3ec44fb1b257dee26274c38c928986fea45d' +
      '0de0b38e06807e46bda1f1e293f4f6323e854c86d58abdd00c46c16441085df6',
  },
  {
    name: 'Ed25519',
    source: 'RFC 8032, 7.1, test 3',
    key: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    request: { algorithm: 'ed25519', message: bytesOf('af82') },
    signature:
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac' +
      '18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  },
  {
    name: 'Schnorr of Bitcoin Cash',
    source: 'Bitcoin ABC, key_tests.cpp, key_test1',
    key: '12b004fff7f4b69ef8650e767f18f11ede158148b425660723b9f9a66e61f747',
    request: {
      algorithm: 'schnorr-bch',
      // Twice SHA-256 of "Very deterministic message"
      message: bytesOf('5255683da567900bfd3e786ed8836a4e7763c221bf1ac20ece2a5171b9199e8a'),
    },
    signature:
      '2c56731ac2f7a7e7f11518fc7722a166b02438924ca9d8b4d111347b81d07175' +
      '71846de67ad3d913a8fdf9d8f3f73161a4c48ae81cb183b214765feb86e255ce',
  },
]

/** Signed in the thread for keys, as payments are, and then verified here. */
function signatureCheck(room: KeyRoom, published: PublishedSignature): SelfCheck {
  const { name, source, key: digits, signature: expected } = published
  return {
    name,
    source,
    expected: `${expected} verified`,
    async actual() {
      using key = secretOf(digits)
      const request: SigningRequest = { key: 0, ...published.request }
      const curve = request.algorithm === 'ed25519' ? 'ed25519' : 'secp256k1'
      const publicKey = await room.publicKey(curve, key)
      const [signature] = await room.signAll([{ key, request }])
      if (!signature) return 'no signature'
      const isValid = verify(request, signature, publicKey)
      return `${hex(signature.bytes)} ${isValid ? 'verified' : 'not valid'}`
    },
  }
}

const unused: readonly SelfCheck[] = [
  {
    name: 'BIP-340',
    source: 'BIP-340',
    expected: '',
    actual: () => ({
      skipped: 'no chain here signs with it: Bitcoin Cash has the Schnorr signature of May 2019',
    }),
  },
]
