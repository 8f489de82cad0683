import { beforeAll, describe, expect, test } from 'bun:test'
import { hex } from '../../src/base/bytes.ts'
import type { Network } from '../../src/base/model.ts'
import { chains, findChain } from '../../src/chains/index.ts'
import { formatKeyText } from '../../src/secret/key-text.ts'
import type { Secret } from '../../src/secret/secret.ts'
import { publicKeyOf } from '../../src/secret/sign.ts'
import {
  keyWallet,
  mnemonicWallet,
  privateKeyAt,
  publicKeyAt,
  walletFor,
} from '../../src/signer/wallets.ts'
import type { WalletInfo } from '../../src/vault/records.ts'
import { type NewWallet, openVault, type Vault } from '../../src/vault/vault.ts'
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

/** As the original prints it; where it fails, an object says how. */
type Recorded = {
  readonly chain: string
  readonly testnet: boolean
  readonly mnemonic: string
  readonly wallet: { readonly xpub?: string }
  readonly derived: readonly {
    readonly index: number
    readonly privateKey?: unknown
    readonly address?: unknown
  }[]
}

const cases = (recorded as readonly Recorded[]).flatMap(({ chain, testnet, wallet, ...rest }) => {
  const found = findChain(chain)
  const network: Network = testnet ? 'testnet' : 'mainnet'
  return found === undefined ? [] : [{ ...rest, chain: found, network, xpub: wallet.xpub }]
})

test('every chain has a recorded mnemonic on both networks', () => {
  const seen = new Set(cases.map(({ chain, network }) => `${chain.id} ${network}`))
  for (const { id } of chains) {
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
      ;({ vault, info } = await stored(
        await mnemonicWallet(chain, network, secretOf(mnemonic), publicKeyHere),
      ))
    })

    test('has the xpub of the original', () => expect(info.xpub).toBe(xpub ?? ''))

    test.each(derived)(
      'index $index has the address and the private key of the original',
      entry => {
        const publicKey = publicKeyAt(chain, info, entry.index)
        expect(chain.address(publicKey, network)).toBe(String(entry.address))
        using key = privateKeyAt(chain, vault, info, entry.index)
        using text = formatKeyText(chain.key, network, key)
        expect(revealedText(text)).toBe(String(entry.privateKey))
        expect(key.use(bytes => publicKeyOf(chain.key.curve, bytes))).toEqual(publicKey)
      },
    )

    test.each(derived)(
      'the private key of index $index is a wallet with that address',
      async entry => {
        const text = secretOf(String(entry.privateKey))
        const wallet = await keyWallet(chain, network, text, publicKeyHere)
        using _secret = wallet.secret
        expect(wallet.address).toBe(String(entry.address))
      },
    )

    test.each([-1, 2 ** 31, 2 ** 32, 0.5, NaN])('has no index %d', index => {
      expect(refusalOf(() => publicKeyAt(chain, info, index)).code).toBe('usage')
      expect(refusalOf(() => privateKeyAt(chain, vault, info, index)).code).toBe('usage')
    })

    test('does not sign without an index', () => {
      expect(refusalOf(() => publicKeyAt(chain, info, undefined)).code).toBe('transaction-refused')
      expect(refusalOf(() => privateKeyAt(chain, vault, info, undefined)).code).toBe(
        'transaction-refused',
      )
    })
  },
)

/** Bitcoin Core, src/test/data/key_io_valid.json */
const compressedWif = 'L5nJeqKmpHp4P7F8ZYyjwc5a7P4d8EabuGAzfGJk7yC1BJyzNaEd'
const compressedKey = 'ff778740f88ddcf102aeb81daee289c044c4a4571c4b6f287400f4b8e0b843f8'
/** https://en.bitcoin.it/wiki/Wallet_import_format and its address, uncompressed. */
const uncompressedWif = '5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ'
const uncompressedAddress = '1GAehh7TsJAHuUAeKZcXf5CnwuGuGgyX2S'

function bitcoinKey(wif: string): Promise<NewWallet> {
  return keyWallet(chainOf('BTC'), 'mainnet', secretOf(wif), publicKeyHere)
}

describe('a single key', () => {
  const btc = chainOf('BTC')
  const eth = chainOf('ETH')

  test('is found again, at index 0 or without one', async () => {
    const { vault, info } = await stored(await bitcoinKey(compressedWif))
    for (const index of [0, undefined]) {
      using key = privateKeyAt(btc, vault, info, index)
      expect(key.use(bytes => hex(bytes))).toBe(compressedKey)
      expect(publicKeyAt(btc, info, index)).toEqual(
        key.use(bytes => publicKeyOf('secp256k1', bytes)),
      )
    }
  })

  test('has no other index', async () => {
    const { vault, info } = await stored(await bitcoinKey(compressedWif))
    for (const index of [1, -1, NaN]) {
      expect(refusalOf(() => publicKeyAt(btc, info, index)).code).toBe('transaction-refused')
      expect(refusalOf(() => privateKeyAt(btc, vault, info, index)).code).toBe(
        'transaction-refused',
      )
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
    const refusal = await rejectionOf(() => keyWallet(btc, network, given, publicKeyHere))
    expectSilence(refusal, text)
    expectWiped(given)
  })

  test('of Ethereum has the same address however it is written', async () => {
    const texts = [compressedKey, `0x${compressedKey}`, compressedKey.toUpperCase()]
    const wallets = await Promise.all(
      texts.map(text => keyWallet(eth, 'testnet', secretOf(text), publicKeyHere)),
    )
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
