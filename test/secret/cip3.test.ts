import { describe, expect, test } from 'bun:test'
import { ed25519 } from '@noble/curves/ed25519.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha512 } from '@noble/hashes/sha2.js'
import fc from 'fast-check'
import { concat, fromHex, hex } from '../../src/base/bytes.ts'
import { KmsError } from '../../src/base/errors.ts'
import { childPrivateKey, childPublicKey, deriveAccount } from '../../src/secret/cip3.ts'
import { highestIndex } from '../../src/secret/derivation-path.ts'
import type { PublicKeyOf } from '../../src/secret/hd.ts'
import { mnemonicEntropy } from '../../src/secret/mnemonic.ts'
import type { Secret } from '../../src/secret/secret.ts'
import {
  publicKeyHere,
  refusalOf,
  rejectionOf,
  revealed,
  revealedHex,
  secretOf,
} from '../support/secret.ts'

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)
const hardened = 2 ** 31

/** https://github.com/cardano-foundation/CIPs/blob/master/CIP-0003/Icarus.md, without passphrase */
const phrase =
  'eight country switch draw meat scout mystery blade tip drift useless good keep usage title'
const master =
  'c065afd2832cd8b087c4d9ab7011f481ee1e0721e78ea5dd609f3ab3f156d245d176bd8fd4ec60b4731c3918a2a72a0226c0cd119ec35b47e4d55884667f552a23f7fdcd4a10c6cd2c7393ac61d877873e248f417634aa3d812af327ffe9d620'
/** Its child 0', by ed25519-bip32 (github.com/typed-io/rust-ed25519-bip32), derivation V2 */
const firstHardened =
  '107d01cbcbfee7899c4c2cbcbd476ebcf2cdc7fe8310eb38e943487ef456d245cfff2ce00c52e546177288ce6e8e9349c842183255fa155220dcb6e9a8bc5dea255a0598c4d1d5de7070ddc1a6b16c4f5a06c13e19a1c1fcb24ea7a978d61086'

describe('published vectors', () => {
  test.each([
    ['m', master],
    ["m/0'", firstHardened],
  ])('CIP-3, Icarus: %s', async (path, expected) => {
    using entropy = mnemonicEntropy(secretOf(phrase))
    const { node } = await deriveAccount(entropy, path, publicKeyHere)
    using secret = node
    expect(revealedHex(secret)).toBe(expected)
  })

  test("rust-ed25519-bip32, src/tests.rs: D1 and its child 0'", () => {
    using node = secretOf(
      bytesOf(
        'f8a29231ee38d6c5bf715d5bac21c750577aa3798b22d79d65bf97d6fadea15adcd1ee1abdf78bd4be64731a12deb94d3671784112eb6f364b871851fd1c9a247384db9ad6003bbd08b3b1ddc0d07a597293ff85e961bf252b331262eddfad0d',
      ),
    )
    using key = childPrivateKey(node, xpubOf(revealed(node)), hardened)
    expect(revealedHex(key)).toBe(
      '60d399da83ef80d8d4f8d223239efdc2b8fef387e1b5219137ffb4e8fbdea15adc9366b7d003af37c11396de9a83734e30e05e851efa32745c9cd7b42712c890',
    )
  })
})

const entropy = fc
  .constantFrom(16, 20, 24, 28, 32)
  .chain(length => fc.uint8Array({ minLength: length, maxLength: length }))
const index = fc.oneof(fc.constantFrom(0, 1, highestIndex - 1, highestIndex), fc.nat(highestIndex))
const step = fc.tuple(index, fc.boolean())

test('any path below any entropy leads where the formulas say, and on to the same children', async () => {
  const check = async (
    entropy: Uint8Array,
    steps: readonly (readonly [number, boolean])[],
    index: number,
  ) => {
    const path = ['m', ...steps.map(([n, isHard]) => `${n}${isHard ? "'" : ''}`)].join('/')
    using secret = secretOf(entropy)
    const root = await deriveAccount(secret, 'm', publicKeyHere)
    const account = await deriveAccount(secret, path, publicKeyHere)
    const expected = steps.reduce(
      (node, [n, isHard]) => childByDefinition(node, isHard ? hardened + n : n),
      revealed(root.node),
    )
    expect(revealed(account.node)).toEqual(expected)
    expect(account.xpub).toBe(xpubOf(expected))
    using key = childPrivateKey(account.node, account.xpub, index)
    const child = childByDefinition(expected, index)
    expect(revealed(key)).toEqual(child.subarray(0, 64))
    expect(childPublicKey(account.xpub, index)).toEqual({
      curve: 'ed25519-bip32',
      bytes: publicBytesOf(child),
    })
  }
  const property = fc.asyncProperty(entropy, fc.array(step, { maxLength: 3 }), index, check)
  await fc.assert(property, { numRuns: Math.min(numRuns, 100) })
})

test('sums wrap around at 2^256, as on the edges of a byte', () => {
  const edges = fc.constantFrom(0x00, 0x01, 0x07, 0x7f, 0x80, 0xf8, 0xff)
  const node = fc
    .array(edges, { minLength: 96, maxLength: 96 })
    .map(bytes => Uint8Array.from(bytes))
  const check = (bytes: Uint8Array, index: number) => {
    using node = secretOf(bytes)
    using key = childPrivateKey(node, xpubOf(bytes), index)
    expect(revealed(key)).toEqual(childByDefinition(bytes, index).subarray(0, 64))
  }
  const number = fc.oneof(
    index,
    index.map(n => hardened + n),
  )
  fc.assert(fc.property(node, number, check), { numRuns })
})

test.each(['m', 'm/0', "m/1852'/1815'", 'm/1/2'])(
  'no node of %s stays behind when a public key cannot be computed',
  async path => {
    for (let failing = 0; failing < 3; failing++) {
      const nodes: Secret[] = []
      const failingKeyOf: PublicKeyOf = async (curve, node) => {
        nodes.push(node)
        if (nodes.length > failing) throw new KmsError('unexpected', 'no key')
        return publicKeyHere(curve, node)
      }
      using entropy = secretOf(new Uint8Array(16).fill(3))
      await deriveAccount(entropy, path, failingKeyOf).catch(() => {})
      const [failed] = nodes.slice(failing)
      if (failed !== undefined) expect(() => failed.use(() => {})).toThrow()
    }
  },
)

test.each(["m/44'/i'", 'm/x', ''])('the path "%s" is not taken for another one', async path => {
  using entropy = secretOf(new Uint8Array(16))
  const refusal = await rejectionOf(() => deriveAccount(entropy, path, publicKeyHere))
  expect(refusal.code).toBe('unexpected')
})

test.each([
  ['empty', ''],
  ['cut', 'ab'.repeat(63)],
  ['too long', 'ab'.repeat(65)],
  ['not hex', 'xy'.repeat(64)],
  ['not on the curve', `${'02'.padEnd(64, '0')}${'00'.repeat(32)}`],
  ['of BIP-32', 'xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1'],
])('a stored xpub that is %s is refused', (_, xpub) => {
  expect(refusalOf(() => childPublicKey(xpub, 0)).code).toBe('vault-damaged')
  using node = secretOf(new Uint8Array(96).fill(8))
  expect(refusalOf(() => childPrivateKey(node, xpub, 0)).code).toBe('vault-damaged')
})

/** BIP32-Ed25519, section V, with zL cut to 28 bytes, on numbers. */
function childByDefinition(node: Uint8Array, number: number): Uint8Array {
  const [key, chainCode] = [node.subarray(0, 64), node.subarray(64)]
  const data = number >= hardened ? key : publicBytesOf(node)
  const tag = number >= hardened ? 0 : 2
  const position = Uint8Array.from([0, 8, 16, 24], shift => number >>> shift)
  const hash = (first: number) =>
    hmac(sha512, chainCode, concat(Uint8Array.of(first), data, position))
  const z = hash(tag)
  return concat(
    wordOf(8n * numberOf(z.subarray(0, 28)) + numberOf(key.subarray(0, 32))),
    wordOf(numberOf(z.subarray(32)) + numberOf(key.subarray(32))),
    hash(tag + 1).subarray(32),
  )
}

function publicBytesOf(node: Uint8Array): Uint8Array {
  const scalar = numberOf(node.subarray(0, 32)) % ed25519.Point.Fn.ORDER
  return ed25519.Point.BASE.multiplyUnsafe(scalar).toBytes()
}

function xpubOf(node: Uint8Array): string {
  return hex(concat(publicBytesOf(node), node.subarray(64)))
}

function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${hex(bytes.toReversed())}`)
}

function wordOf(value: bigint): Uint8Array {
  return bytesOf((value % 2n ** 256n).toString(16).padStart(64, '0')).reverse()
}

function bytesOf(text: string): Uint8Array {
  return fromHex(text) ?? new Uint8Array()
}
