import { beforeAll, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { hex } from '../../src/base/bytes.ts'
import type { KeyScheme, Network } from '../../src/base/model.ts'
import { highestIndex } from '../../src/secret/derivation-path.ts'
import {
  type Account,
  childPrivateKey,
  childPublicKey,
  type DerivedFrom,
  deriveAccount,
  pathOf,
} from '../../src/secret/hd.ts'
import { formatKeyText } from '../../src/secret/key-text.ts'
import { privateKeyLength, publicKeyOf } from '../../src/secret/sign.ts'
import { derivations } from '../support/derivations.ts'
import { randomWallets } from '../support/random-wallets.ts'
import {
  expectSilence,
  publicKeyHere,
  refusalOf,
  rejectionOf,
  revealed,
  revealedText,
  secretOf,
} from '../support/secret.ts'
import shortKeys from '../vectors/flow-short-keys.json'
import recorded from '../vectors/wallets.json'
import samples from '../vectors/wallets-random-samples.json'

const numRuns = Number(process.env['FC_NUM_RUNS'] ?? 100)

/** As the original prints it; where it fails, an object says how. */
type Recorded = {
  readonly chain: string
  readonly testnet: boolean
  readonly mnemonic: string
  readonly wallet: { readonly xpub?: string }
  readonly derived: readonly {
    readonly index: number
    readonly privateKey?: unknown
    readonly publicKey?: string
  }[]
}

const cases = (recorded as readonly Recorded[]).flatMap(({ chain, testnet, ...rest }) => {
  const scheme = derivations[chain]
  const network: Network = testnet ? 'testnet' : 'mainnet'
  return scheme === undefined || chain === 'SOL' ? [] : [{ chain, network, scheme, ...rest }]
})

test('every chain with mnemonics is recorded on both networks', () => {
  const chains = Object.keys(derivations).filter(chain => chain !== 'SOL')
  const seen = new Set(cases.map(({ chain, network }) => `${chain} ${network}`))
  expect(seen).toEqual(new Set(chains.flatMap(id => [`${id} mainnet`, `${id} testnet`])))
})

describe.each(cases)('$chain $network "$mnemonic"', ({ scheme, network, mnemonic, ...rest }) => {
  test('has the xpub and the private keys of the original', async () => {
    const { node, from } = await accountOf(scheme, network, mnemonic)
    expect(from.xpub).toBe(rest.wallet.xpub)
    for (const { index, privateKey, publicKey } of rest.derived) {
      expect(await keyTextAt(scheme, node, from, index)).toBe(String(privateKey))
      const known = childPublicKey(from, index)
      if (publicKey !== undefined) expect(hex(known?.bytes ?? new Uint8Array())).toBe(publicKey)
    }
  })
})

describe('keys that the original prints otherwise', () => {
  test.each(samples.solanaFromMnemonic)('SOL "$mnemonic" $index', async entry => {
    const scheme = schemeOf('SOL')
    const { node, from } = await accountOf(scheme, 'mainnet', entry.mnemonic)
    expect(await keyTextAt(scheme, node, from, entry.index)).toBe(entry.privateKey)
  })

  test.each(randomWallets('SOL'))('SOL: $address is key 0 of its mnemonic', async wallet => {
    const scheme = schemeOf('SOL')
    const { node, from } = await accountOf(scheme, 'testnet', wallet.mnemonic ?? '')
    expect(await keyTextAt(scheme, node, from, 0)).toBe(wallet.privateKey ?? '')
  })

  // ed25519-hd-key and web3.js: HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk
  test('SOL in the style of Phantom', async () => {
    const scheme = schemeOf('SOL')
    const mnemonic = `${'abandon '.repeat(11)}about`
    const { node, from } = await accountOf(scheme, 'mainnet', mnemonic, 'phantom')
    using key = childPrivateKey(node, from, 0)
    const { bytes } = key.use(bytes => publicKeyOf('ed25519', bytes))
    expect(hex(bytes)).toBe('f036276246a75b9de3349ed42b15e232f6518fc20f5fcd4f1d64e81f9bd258f7')
  })

  test.each(shortKeys)('FLOW "$mnemonic" $index has its zeros', async entry => {
    const scheme = schemeOf('FLOW')
    const { node, from } = await accountOf(scheme, 'mainnet', entry.mnemonic)
    const text = await keyTextAt(scheme, node, from, entry.index)
    expect(text).toBe(entry.privateKey.padStart(64, '0'))
  })
})

describe.each(['ETH', 'EGLD', 'SOL', 'ADA'])('an account of %s', chain => {
  const scheme = schemeOf(chain)
  let node: Account['node']
  let from: DerivedFrom
  beforeAll(async () => {
    ;({ node, from } = await accountOf(scheme, 'mainnet', `${'zoo '.repeat(11)}wrong`))
  })

  test('has the same public keys from its node and from its public side, if it has one', () => {
    const check = (index: number) => {
      using key = childPrivateKey(node, from, index)
      expect(key.length).toBe(privateKeyLength(scheme.curve))
      const known = childPublicKey(from, index)
      if (scheme.derivation.kind === 'slip10') expect(known).toBeUndefined()
      else expect(known).toEqual(key.use(bytes => publicKeyOf(scheme.curve, bytes)))
    }
    fc.assert(fc.property(fc.nat(highestIndex), check), { numRuns: Math.min(numRuns, 200) })
  })

  test('is not changed by deriving from it', () => {
    const before = revealed(node)
    childPrivateKey(node, from, 7).wipe()
    expect(revealed(node)).toEqual(before)
  })

  test.each([-1, 2 ** 31, 2 ** 32, 1.5, NaN, Infinity])('has no index %d', index => {
    expect(refusalOf(() => childPrivateKey(node, from, index)).code).toBe('usage')
    expect(refusalOf(() => childPublicKey(from, index)).code).toBe('usage')
  })

  test.each(['1', '__proto__', null, undefined, {}])('has no index %p', index => {
    expect(refusalOf(() => childPrivateKey(node, from, index as number)).code).toBe('usage')
    expect(refusalOf(() => childPublicKey(from, index as number)).code).toBe('usage')
  })

  test('that was stored without its xpub has no keys where it needs one', () => {
    if (scheme.derivation.kind === 'slip10') return
    const { xpub: _, ...incomplete } = from
    expect(refusalOf(() => childPrivateKey(node, incomplete, 0)).code).toBe('vault-damaged')
    expect(refusalOf(() => childPublicKey(incomplete, 0)).code).toBe('vault-damaged')
  })
})

describe('the path', () => {
  test.each([
    ['SOL', undefined, "m/44'/501'/0'/0'/i'"],
    ['SOL', 'phantom', "m/44'/501'/i'/0'"],
    ['EGLD', undefined, "m/44'/508'/0'/0'/i'"],
    ['ADA', undefined, "m/1852'/1815'/0'/0'"],
    ['BTC', undefined, "m/44'/0'/0'/0"],
  ])('of %s in style %p is %s', (chain, style, path) => {
    expect(pathOf(schemeOf(chain).derivation, 'mainnet', style)).toBe(path)
  })

  test.each(['', 'Phantom', 'phantom ', '__proto__', 'constructor', 'toString'])(
    'has no style "%s"',
    style => {
      const refusal = refusalOf(() => pathOf(schemeOf('SOL').derivation, 'mainnet', style))
      expect(refusal.code).toBe('usage')
      expect(refusal.message).toBe('unknown path style, this chain has: phantom')
    },
  )

  test.each(['BTC', 'EGLD', 'ADA'])('of %s has no styles at all', chain => {
    const refusal = refusalOf(() => pathOf(schemeOf(chain).derivation, 'testnet', 'phantom'))
    expect(refusal.code).toBe('usage')
    expect(refusal.message).toBe('keys of this chain have one derivation path, without styles')
  })

  test.each([
    ['BTC', "m/44'/0'/0'/i'"],
    ['ADA', "m/1852'/i'"],
    ['EGLD', "m/44'/508'/0'/0'"],
    ['EGLD', "m/44'/508/0'/i'"],
  ])('of %s cannot be %s', async (chain, path) => {
    const { derivation } = schemeOf(chain)
    using mnemonic = secretOf(`${'zoo '.repeat(11)}wrong`)
    const refusal = await rejectionOf(() =>
      deriveAccount(mnemonic, derivation, 'mainnet', path, publicKeyHere),
    )
    expect(refusal.code).toBe('unexpected')
  })
})

describe('a mnemonic that is none', () => {
  const words =
    'correct horse battery staple correct horse battery staple correct horse battery cat'

  // The original takes any text for one; such wallets migrate.
  test.each(['ETH', 'EGLD'])('has keys of %s all the same', async chain => {
    const { node, from } = await accountOf(schemeOf(chain), 'mainnet', words)
    expect(childPrivateKey(node, from, 0)).toHaveLength(32)
  })

  test('has none of ADA, and no word of it is told', async () => {
    const refusal = await rejectionOf(() => accountOf(schemeOf('ADA'), 'mainnet', words))
    expect(refusal.code).toBe('usage')
    expectSilence(refusal, words)
  })
})

function schemeOf(chain: string) {
  const scheme = derivations[chain]
  if (scheme === undefined) throw new Error(`there is no derivation of ${chain}`)
  return scheme
}

async function accountOf(
  { derivation }: ReturnType<typeof schemeOf>,
  network: Network,
  words: string,
  style?: string,
) {
  using mnemonic = secretOf(words)
  const path = pathOf(derivation, network, style)
  const { node, ...rest } = await deriveAccount(mnemonic, derivation, network, path, publicKeyHere)
  return { node, from: { derivation, network, path, ...rest } satisfies DerivedFrom }
}

async function keyTextAt(
  scheme: KeyScheme,
  node: Account['node'],
  from: DerivedFrom,
  index: number,
): Promise<string> {
  using key = childPrivateKey(node, from, index)
  using text = await formatKeyText(scheme, from.network, key, publicKeyHere)
  return revealedText(text)
}
