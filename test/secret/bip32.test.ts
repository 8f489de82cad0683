import { beforeAll, describe, expect, spyOn, test } from 'bun:test'
import { HDKey } from '@scure/bip32'
import fc from 'fast-check'
import { fromHex, hex } from '../../src/base/bytes.ts'
import { KmsError } from '../../src/base/errors.ts'
import { childPrivateKey, childPublicKey, deriveAccount } from '../../src/secret/bip32.ts'
import { highestIndex } from '../../src/secret/derivation-path.ts'
import type { PublicKeyOf } from '../../src/secret/hd.ts'
import type { Secret } from '../../src/secret/secret.ts'
import { publicKeyOf } from '../../src/secret/sign.ts'
import { publicKeyHere, refusalOf, revealed, revealedHex, secretOf } from '../support/secret.ts'
import { bip32Vectors } from '../vectors/bip32.ts'
import bip39 from '../vectors/bip39.json'

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)
const xpubVersion = 0x0488b21e

describe.each(bip32Vectors)('BIP-32 test vector $number', ({ seed, nodes }) => {
  test.each(nodes)('%s', async (path, xpub, xprv) => {
    const account = await accountAt(bytesOf(seed), path)
    using node = account.node
    expect(account.xpub).toBe(xpub)
    expect(revealedHex(node)).toBe(extendedKeyHex(HDKey.fromExtendedKey(xprv)))
  })
})

test.each(bip39.english)(
  '%#: the master key of a BIP-39 seed is the published one',
  async (...vector) => {
    const [, , seed = '', xprv = ''] = vector
    const { node } = await accountAt(bytesOf(seed), 'm')
    using master = node
    expect(revealedHex(master)).toBe(extendedKeyHex(HDKey.fromExtendedKey(xprv)))
  },
)

describe('against scure', () => {
  const seed = fc.uint8Array({ minLength: 16, maxLength: 64 })
  const index = fc.oneof(fc.constantFrom(0, 1, 2 ** 31 - 2, highestIndex), fc.nat(highestIndex))
  const step = fc
    .tuple(index, fc.boolean())
    .map(([i, isHardened]) => `${i}${isHardened ? "'" : ''}`)
  const path = fc.array(step, { maxLength: 6 }).map(steps => ['m', ...steps].join('/'))

  test('any path below any seed leads to the same node, and on to the same children', async () => {
    const check = async (seed: Uint8Array, path: string, index: number) => {
      const account = await accountAt(seed, path)
      using node = account.node
      const expected = HDKey.fromMasterSeed(seed).derive(path)
      expect(account.xpub).toBe(expected.publicExtendedKey)
      expect(revealedHex(node)).toBe(extendedKeyHex(expected))
      using key = childPrivateKey(node, publicSide(account.xpub), index)
      expect(revealedHex(key)).toBe(hex(expected.deriveChild(index).privateKey ?? new Uint8Array()))
    }
    await fc.assert(fc.asyncProperty(seed, path, index, check), { numRuns })
  })

  test('keys at the edges of the group have the same children', () => {
    const n = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
    const edge = fc
      .tuple(fc.constantFrom(0n, n / 2n, n), fc.bigInt(-3n, 3n))
      .map(([around, distance]) => around + distance)
      .filter(key => key > 0n && key < n)
    const chainCode = fc.uint8Array({ minLength: 32, maxLength: 32 })
    const check = (key: bigint, chainCode: Uint8Array, index: number) => {
      const privateKey = bytesOf(key.toString(16).padStart(64, '0'))
      using node = secretOf(Uint8Array.of(...privateKey, ...chainCode))
      const parent = new HDKey({ privateKey, chainCode })
      using child = childPrivateKey(node, publicSide(parent.publicExtendedKey), index)
      const expected = parent.deriveChild(index)
      expect(revealedHex(child)).toBe(hex(expected.privateKey ?? new Uint8Array()))
    }
    fc.assert(fc.property(edge, chainCode, index, check), { numRuns })
  })
})

describe('an account', () => {
  let account: Account
  beforeAll(async () => {
    account = await accountAt(new Uint8Array(64).fill(7), "m/44'/60'/0'/0")
  })
  const child = (index: number) => childPrivateKey(account.node, publicSide(account.xpub), index)

  test('has the same public keys from its node and from its xpub', () => {
    const check = (index: number) => {
      using key = child(index)
      const expected = key.use(bytes => publicKeyOf('secp256k1', bytes))
      expect(childPublicKey(publicSide(account.xpub), index)).toEqual(expected)
    }
    fc.assert(fc.property(fc.nat(highestIndex), check), { numRuns })
  })

  test('is not changed by deriving from it', () => {
    const before = revealed(account.node)
    child(7).wipe()
    expect(revealed(account.node)).toEqual(before)
  })
})

test('an xpub is read once, however many keys are derived from it', async () => {
  const { xpub } = await accountAt(new Uint8Array(64).fill(77), 'm/1')
  const reading = spyOn(HDKey, 'fromExtendedKey')
  try {
    for (let index = 0; index < 10; index++) childPublicKey(publicSide(xpub), index)
    expect(reading).toHaveBeenCalledTimes(1)
    expect(() => childPublicKey({ xpub, version: 0x043587cf }, 0)).toThrow()
  } finally {
    reading.mockRestore()
  }
})

test.each(['m', 'm/0', "m/44'/0'", 'm/1/2/3'])(
  'no node of %s stays behind when a public key cannot be computed',
  async path => {
    const computed = path.split('/').length - 1
    for (let failing = 0; failing <= computed; failing++) {
      const nodes: Secret[] = []
      const publicKeyOf: PublicKeyOf = async (curve, node) => {
        nodes.push(node)
        if (nodes.length > failing) throw new KmsError('unexpected', 'no key')
        return publicKeyHere(curve, node)
      }
      const seed = secretOf(new Uint8Array(64).fill(3))
      await deriveAccount(seed, { path, version: xpubVersion }, publicKeyOf).catch(() => {})
      const [failed] = nodes.slice(failing)
      if (failed !== undefined) expect(() => failed.use(() => {})).toThrow()
    }
  },
)

describe('a stored xpub is refused', () => {
  const good = bip32Vectors[0]?.nodes[0]?.[1] ?? ''

  test.each([
    ['of another version', good, 0x043587cf],
    ['with a changed letter', good.replace('xpub661', 'xpub662'), xpubVersion],
    ['that is cut', good.slice(0, -1), xpubVersion],
    ['that is empty', '', xpubVersion],
    ['that is private', bip32Vectors[0]?.nodes[0]?.[2] ?? '', xpubVersion],
  ])('%s', (_, xpub, version) => {
    expect(refusalOf(() => childPublicKey({ xpub, version }, 0)).code).toBe('vault-damaged')
  })

  // BIP-32 test vector 5
  test.each([
    [
      'with a private key inside',
      'xpub661MyMwAqRbcEYS8w7XLSVeEsBXy79zSzH1J8vCdxAZningWLdN3zgtU6LBpB85b3D2yc8sfvZU521AAwdZafEz7mnzBBsz4wKY5fTtTQBm',
    ],
    [
      'with an unknown key prefix',
      'xpub661MyMwAqRbcEYS8w7XLSVeEsBXy79zSzH1J8vCdxAZningWLdN3zgtU6Txnt3siSujt9RCVYsx4qHZGc62TG4McvMGcAUjeuwZdduYEvFn',
    ],
    [
      'whose key is not on the curve',
      'xpub661MyMwAqRbcEYS8w7XLSVeEsBXy79zSzH1J8vCdxAZningWLdN3zgtU6Q5JXayek4PRsn35jii4veMimro1xefsM58PgBMrvdYre8QyULY',
    ],
    [
      'of depth zero with a parent',
      'xpub661no6RGEX3uJkY4bNnPcw4URcQTrSibUZ4NqJEw5eBkv7ovTwgiT91XX27VbEXGENhYRCf7hyEbWrR3FewATdCEebj6znwMfQkhRYHRLpJ',
    ],
    [
      'of depth zero with a child number',
      'xpub661MyMwAuDcm6CRQ5N4qiHKrJ39Xe1R1NyfouMKTTWcguwVcfrZJaNvhpebzGerh7gucBvzEQWRugZDuDXjNDRmXzSZe4c7mnTK97pTvGS8',
    ],
  ])('%s', (_, xpub) => {
    expect(refusalOf(() => childPublicKey(publicSide(xpub), 0)).code).toBe('vault-damaged')
  })
})

type Account = Awaited<ReturnType<typeof deriveAccount>>

function accountAt(seed: Uint8Array, path: string): Promise<Account> {
  return deriveAccount(secretOf(seed), { path, version: xpubVersion }, publicKeyHere)
}

function publicSide(xpub: string) {
  return { xpub, version: xpubVersion }
}

function extendedKeyHex({ privateKey, chainCode }: HDKey): string {
  return hex(privateKey ?? new Uint8Array()) + hex(chainCode ?? new Uint8Array())
}

function bytesOf(text: string): Uint8Array {
  return fromHex(text) ?? new Uint8Array()
}
