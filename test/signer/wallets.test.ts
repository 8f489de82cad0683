import { beforeAll, describe, expect, test } from 'bun:test'
import { hex } from '../../src/base/bytes.ts'
import type { Network } from '../../src/base/model.ts'
import { chains, findChain } from '../../src/chains/index.ts'
import { formatKeyText } from '../../src/secret/key-text.ts'
import type { Secret } from '../../src/secret/secret.ts'
import { publicKeyOf } from '../../src/secret/sign.ts'
import { privateKeyAt, publicKeyAt, walletFor } from '../../src/signer/keys.ts'
import { keyWallet, mnemonicWallet, newWallet } from '../../src/signer/wallets.ts'
import type { NewWallet } from '../../src/vault/draft.ts'
import type { WalletInfo } from '../../src/vault/records.ts'
import { openVault, type Vault } from '../../src/vault/vault.ts'
import { change, password, placeOn, vaultDisk } from '../support/memory-vault.ts'
import {
  expectSilence,
  publicKeyHere,
  refusalOf,
  rejectionOf,
  revealedText,
  secretOf,
} from '../support/secret.ts'
import recorded from '../vectors/wallets.json'
import random from '../vectors/wallets-random-samples.json'

type Derived = { readonly index: number; readonly privateKey: string; readonly address: string }

/** As the original prints it, and where it is wrong what was recorded of the right one. */
type Recorded = {
  readonly chain: string
  readonly testnet: boolean
  readonly mnemonic: string
  readonly wallet: { readonly xpub?: string }
  readonly derived: readonly Readonly<Record<string, unknown>>[]
}

/** The original makes a random wallet of every mnemonic it is given for these. */
const deafToMnemonics = ['ALGO', 'BNB', 'SOL', 'XLM', 'XRP']

const cases = (recorded as readonly Recorded[]).flatMap(entry => {
  const { testnet, mnemonic, wallet } = entry
  const chain = findChain(entry.chain)
  if (chain === undefined || deafToMnemonics.includes(chain.id)) return []
  const network: Network = testnet ? 'testnet' : 'mainnet'
  return [
    {
      mnemonic,
      chain,
      network,
      xpub: wallet.xpub,
      derived: entry.derived.map(one => rightOf(one, chain.id === 'FLOW')),
    },
  ]
})

/** EGLD's `address` is a defect, ADA's and KCS's an error; FLOW's keys lack their leading zeros. */
function rightOf(entry: Recorded['derived'][number], isFlow: boolean): Derived {
  const { index, privateKey, daemonPrivateKey, address } = entry
  const { addressOfPrivateKey, computedEnterpriseAddress, daemonAddress } = entry
  return {
    index: Number(index),
    privateKey: isFlow
      ? String(privateKey).padStart(64, '0')
      : String(daemonPrivateKey ?? privateKey),
    address: String(addressOfPrivateKey ?? computedEnterpriseAddress ?? daemonAddress ?? address),
  }
}

test('every chain has a recorded mnemonic on both networks', () => {
  const seen = new Set(cases.map(({ chain, network }) => `${chain.id} ${network}`))
  for (const { id } of chains.filter(chain => !deafToMnemonics.includes(chain.id))) {
    expect(seen).toContain(`${id} mainnet`)
    expect(seen).toContain(`${id} testnet`)
  }
})

describe.each(cases)(
  '$chain.id $network "$mnemonic"',
  ({ chain, network, mnemonic, xpub, derived }) => {
    let vault: Vault
    let info: WalletInfo
    beforeAll(async () => {
      const place = { chain, network, publicKeyOf: publicKeyHere }
      ;({ vault, info } = await stored(await mnemonicWallet(place, secretOf(mnemonic))))
    })
    const source = () => ({ vault, publicKeyOf: publicKeyHere })

    test('has the xpub of the original', () => expect(info.xpub).toBe(xpub as string))

    test.each(derived)(
      'index $index has the address and the private key of the original',
      async ({ index, address, privateKey }) => {
        const publicKey = await publicKeyAt(chain, source(), { wallet: info, index })
        expect(chain.address(publicKey, network)).toBe(address)
        using key = await privateKeyAt(chain, source(), { wallet: info, index })
        using text = await formatKeyText(chain.key, network, key, publicKeyHere)
        expect(revealedText(text)).toBe(privateKey)
        expect(key.use(bytes => publicKeyOf(chain.key.curve, bytes))).toEqual(publicKey)
      },
    )

    test.each(derived)(
      'the private key of index $index is a wallet with that address',
      async ({ address, privateKey }) => {
        const place = { chain, network, publicKeyOf: publicKeyHere }
        const wallet = await keyWallet(place, secretOf(privateKey))
        using _secret = wallet.secret
        expect(wallet.address).toBe(address)
      },
    )

    test.each([-1, 2 ** 31, 2 ** 32, 0.5, NaN])('has no index %d', async index => {
      const place = { wallet: info, index }
      const refusals = [
        await rejectionOf(() => publicKeyAt(chain, source(), place)),
        await rejectionOf(() => privateKeyAt(chain, source(), place)),
      ]
      expect(refusals.map(({ code }) => code)).toEqual(['usage', 'usage'])
    })

    test('does not sign without an index', async () => {
      const place = { wallet: info, index: undefined }
      const refusals = [
        await rejectionOf(() => publicKeyAt(chain, source(), place)),
        await rejectionOf(() => privateKeyAt(chain, source(), place)),
      ]
      expect(refusals.map(({ code }) => code)).toEqual([
        'transaction-refused',
        'transaction-refused',
      ])
    })
  },
)

const samples = random.samples.flatMap(({ chain: id, testnet, samples: wallets }) => {
  const chain = findChain(id)
  if (chain === undefined) return []
  const network: Network = testnet ? 'testnet' : 'mainnet'
  return wallets.map(wallet => ({ chain, network, wallet: wallet as Record<string, string> }))
})

test.each(samples)(
  'a random $chain.id wallet of the original on $network has its address',
  async ({ chain, network, wallet: { address, secret, privateKey } }) => {
    const place = { chain, network, publicKeyOf: publicKeyHere }
    const made = await keyWallet(place, secretOf(secret ?? privateKey ?? ''))
    using _secret = made.secret
    expect(made.address).toBe(address as string)
  },
)

describe.each(chains)('a new $id wallet', chain => {
  test.each(['mainnet', 'testnet'] as const)('is complete on %s', async network => {
    const place = { chain, network, publicKeyOf: publicKeyHere }
    const { vault, info } = await stored(await newWallet(place))
    expect(info.kind).toBe(chain.generates)
    const source = { vault, publicKeyOf: publicKeyHere }
    const index = info.kind === 'mnemonic' ? 0 : undefined
    const publicKey = await publicKeyAt(chain, source, { wallet: info, index })
    using key = await privateKeyAt(chain, source, { wallet: info, index })
    expect(key.use(bytes => publicKeyOf(publicKey.curve, bytes))).toEqual(publicKey)
    if (!chain.walletShape.includes('address')) return
    expect(info.address).toBe(chain.address(publicKey, network))
    // The key that the original's users sign with: that of the address they were given.
    using same = await privateKeyAt(chain, source, { wallet: info, index: undefined })
    expect(same.use(bytes => hex(bytes))).toBe(key.use(bytes => hex(bytes)))
  })
})

/** Bitcoin Core, src/test/data/key_io_valid.json */
const compressedWif = 'L5nJeqKmpHp4P7F8ZYyjwc5a7P4d8EabuGAzfGJk7yC1BJyzNaEd'
const compressedKey = 'ff778740f88ddcf102aeb81daee289c044c4a4571c4b6f287400f4b8e0b843f8'
/** https://en.bitcoin.it/wiki/Wallet_import_format and its address, uncompressed. */
const uncompressedWif = '5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ'
const uncompressedAddress = '1GAehh7TsJAHuUAeKZcXf5CnwuGuGgyX2S'

function bitcoinKey(wif: string): Promise<NewWallet> {
  const place = { chain: chainOf('BTC'), network: 'mainnet', publicKeyOf: publicKeyHere } as const
  return keyWallet(place, secretOf(wif))
}

describe('a single key', () => {
  const btc = chainOf('BTC')
  const eth = chainOf('ETH')

  test('is found again, at index 0 or without one', async () => {
    const { vault, info } = await stored(await bitcoinKey(compressedWif))
    for (const index of [0, undefined]) {
      const source = { vault, publicKeyOf: publicKeyHere }
      using key = await privateKeyAt(btc, source, { wallet: info, index })
      expect(key.use(bytes => hex(bytes))).toBe(compressedKey)
      expect(await publicKeyAt(btc, source, { wallet: info, index })).toEqual(
        key.use(bytes => publicKeyOf('secp256k1', bytes)),
      )
    }
  })

  test('has no other index', async () => {
    const { vault, info } = await stored(await bitcoinKey(compressedWif))
    for (const index of [1, -1, NaN]) {
      const source = { vault, publicKeyOf: publicKeyHere }
      const refusals = [
        await rejectionOf(() => publicKeyAt(btc, source, { wallet: info, index })),
        await rejectionOf(() => privateKeyAt(btc, source, { wallet: info, index })),
      ]
      expect(new Set(refusals.map(({ code }) => code))).toEqual(new Set(['transaction-refused']))
    }
  })

  test('of an uncompressed WIF keeps its uncompressed public key and address', async () => {
    const wallet = await bitcoinKey(uncompressedWif)
    expect(wallet.publicKey).toHaveLength(65)
    expect(wallet.address).toBe(uncompressedAddress)
  })

  test.each([
    ['of the other network', 'testnet', compressedWif],
    ['with a letter too few', 'mainnet', compressedWif.slice(0, -1)],
    ['of another chain', 'mainnet', compressedKey],
  ] as const)('%s is refused, wiped and not quoted', async (_, network, text) => {
    const given = secretOf(text)
    const refusal = await rejectionOf(() =>
      keyWallet({ chain: btc, network, publicKeyOf: publicKeyHere }, given),
    )
    expectSilence(refusal, text)
    expectWiped(given)
  })

  test('of Ethereum has the same address however it is written', async () => {
    const texts = [compressedKey, `0x${compressedKey}`, compressedKey.toUpperCase()]
    const place = { chain: eth, network: 'testnet', publicKeyOf: publicKeyHere } as const
    const wallets = await Promise.all(texts.map(text => keyWallet(place, secretOf(text))))
    expect(new Set(wallets.map(({ address }) => address)).size).toBe(1)
  })
})

describe('the wallet of a payment', () => {
  const btc = chainOf('BTC')
  const eth = chainOf('ETH')

  test('is the one it names, on its chain and network only', async () => {
    const { vault, info } = await stored(await bitcoinKey(compressedWif))
    const ref = { signatureId: info.id }
    expect(walletFor(vault, btc, 'mainnet', ref)).toEqual(info)
    const refused = (work: () => unknown) => refusalOf(work).code
    expect(refused(() => walletFor(vault, eth, 'mainnet', ref))).toBe('transaction-refused')
    expect(refused(() => walletFor(vault, btc, 'testnet', ref))).toBe('transaction-refused')
    const unknown = { signatureId: '00000000-0000-4000-8000-000000000000' }
    expect(refused(() => walletFor(vault, btc, 'mainnet', unknown))).toBe('wallet-missing')
  })
})

/** A wallet as it comes back out of a vault. */
async function stored(wallet: NewWallet): Promise<{ vault: Vault; info: WalletInfo }> {
  using _secret = wallet.secret
  using _node = wallet.node
  const place = placeOn(vaultDisk())
  const { id } = await change(place, draft => draft.add(wallet))
  const vault = openVault(place, password)
  const info = vault.find(id)
  if (info === undefined) throw new Error('the wallet is not in the vault')
  return { vault, info }
}

function chainOf(id: string) {
  const chain = findChain(id)
  if (chain === undefined) throw new Error(`there is no chain ${id}`)
  return chain
}

function expectWiped(secret: Secret): void {
  expect(refusalOf(() => secret.use(bytes => bytes.length)).message).toContain('after it was wiped')
}
