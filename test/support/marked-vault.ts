import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { ed25519 } from '@noble/curves/ed25519.js'
import { HDKey } from '@scure/bip32'
import { entropyToMnemonic, mnemonicToSeedSync } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { hash160 } from '@scure/btc-signer/utils.js'
import { base32Text } from '../../src/base/base32.ts'
import type { Curve } from '../../src/base/model.ts'
import { chains, findChain } from '../../src/chains/index.ts'
import { scrypt } from '../../src/secret/kdf.ts'
import { parseKeyText } from '../../src/secret/key-text.ts'
import { deriveKeys, unwrapMaster } from '../../src/vault/envelope.ts'
import { decodeHeader } from '../../src/vault/header.ts'
import { account, algoJson, payment } from './algo.ts'
import type { QueuedTx } from './fake-world.ts'
import type { Marked } from './needles.ts'
import { btcPayment, btcScript, ethPayment, pendingIdOf } from './payments.ts'
import { recordedCases } from './recorded-cases.ts'
import { publicKeyHere, revealed, secretOf } from './secret.ts'
import { idOf, type TestWallet, testPassword, vaultPlace } from './test-vault.ts'

const algoSeed = digest('algo')
const algoPublicKey = ed25519.getPublicKey(algoSeed)
const algoPair = Uint8Array.of(...algoSeed, ...algoPublicKey)

/** Secrets that stand nowhere else: not in this program, not in a word list, not in a vector. */
const fixed = {
  ethMnemonic: { ...walletOf(101, 'ETH'), mnemonic: mnemonicOf('eth') },
  btcMnemonic: { ...walletOf(102, 'BTC'), mnemonic: mnemonicOf('btc') },
  algoKey: { ...walletOf(106, 'ALGO'), key: base32Text(algoPair) },
  ethKey: { ...walletOf(103, 'ETH'), key: `0x${Buffer.from(digest('key')).toString('hex')}` },
} as const satisfies Record<string, TestWallet>

/** Not in the vault yet. */
export const walletsToStore = {
  mnemonic: { ...walletOf(104, 'ETH'), mnemonic: mnemonicOf('to store') },
  key: { ...walletOf(105, 'ETH'), key: `0x${Buffer.from(digest('key to store')).toString('hex')}` },
} as const satisfies Record<string, TestWallet>

/** Children of the mnemonic wallets that sign. */
const indexes = [0, 1, 7]

/** For each chain its first recorded payment of single keys that fits a main network. */
const recorded = chains.flatMap(({ id }) => {
  const found = recordedCases(id).find(
    ({ network, expected, pending, wallets }) =>
      network === 'mainnet' &&
      expected.outcome === 'signed' &&
      pending.withdrawalId === undefined &&
      Object.values(wallets).every(wallet => (wallet.privateKey ?? wallet.secret) !== undefined),
  )
  return found === undefined ? [] : [found]
})

/** The recorded ids are the same in every chain's file; here each wallet has its own. */
const renamed = recorded.map(({ chain, network, wallets, pending }, i) => {
  const ids = Object.keys(wallets).map(
    (old, j) => [old, walletOf(1_000 + 10 * i + j, chain).id] as const,
  )
  const rename = (old: string): string => new Map(ids).get(old) ?? old
  return {
    payment: { ...pending, chain, hashes: pending.hashes.map(rename) },
    wallets: Object.entries(wallets).map(([old, { privateKey, secret = '' }]) => ({
      id: rename(old),
      chain,
      network,
      key: privateKey ?? secret,
    })),
  }
})

export const recordedPayments: readonly QueuedTx[] = renamed.map(({ payment }) => payment)

/** Wallets whose secrets are looked for. */
export const markedWallets: readonly TestWallet[] = [
  ...Object.values(fixed),
  ...renamed.flatMap(({ wallets }) => wallets),
]

/** Payment `n` of endless different ones; each wallet and index gets its turn. */
export function markedPayment(n: number): QueuedTx {
  const index = indexes[n % indexes.length] ?? 0
  switch (Math.floor(n / indexes.length) % 4) {
    case 0:
      return ethPayment(n, { hashes: [fixed.ethKey.id], index: 0 })
    case 1:
      return ethPayment(n, { hashes: [fixed.ethMnemonic.id], index })
    case 2:
      return algoPayment(n)
    default:
      return withdrawal(n, fixed.btcMnemonic, index)
  }
}

function algoPayment(n: number): QueuedTx {
  const paid = { ...payment, from: account(algoPublicKey), amount: n + 1 }
  return {
    id: pendingIdOf(n),
    chain: 'ALGO',
    hashes: [fixed.algoKey.id],
    serializedTransaction: JSON.stringify(algoJson(paid, 'mainnet')),
  }
}

/** From a virtual account: on BTC only these say which key of a mnemonic signs. */
function withdrawal(n: number, wallet: TestWallet, index: number): QueuedTx {
  const payment = btcPayment(n, { hashes: [wallet.id] })
  const own = `76a914${Buffer.from(hash160(publicKeyOf(wallet, index))).toString('hex')}88ac`
  return {
    ...payment,
    serializedTransaction: payment.serializedTransaction.replaceAll(btcScript, own),
    withdrawalId: payment.id,
    withdrawalResponses: [
      { vIn: '0', vInIndex: 0, amount: 0.001, address: { derivationKey: index } },
    ],
  }
}

/** What a wallet's secret can be seen as, on its way to a signature. */
export async function secretsOf({
  id,
  chain: chainId,
  network,
  mnemonic,
  key,
}: TestWallet): Promise<readonly Marked[]> {
  const chain = findChain(chainId)
  if (chain === undefined) throw new Error(`no chain ${chainId}`)
  const name = `${chainId} wallet ${id.slice(-3)}`
  if (mnemonic === undefined) {
    const text = secretOf(key ?? '')
    const parsed = await parseKeyText(chain.key, network, text, publicKeyHere)
    return partsOf(`key of ${name}`, parsed.curve, revealed(parsed.key))
  }
  const seed = mnemonicToSeedSync(mnemonic)
  const nodes = nodesOf(HDKey.fromMasterSeed(seed), chain.key.derivation?.path[network] ?? 'm')
  const account = nodes.at(-1)?.node
  return [
    { name: `mnemonic of ${name}`, bytes: Buffer.from(mnemonic) },
    { name: `seed of ${name}`, bytes: seed },
    // The account's own chain code is in its xpub.
    ...nodes.map(({ path, node }) => ({ name: `node ${path} of ${name}`, bytes: keyOf(node) })),
    ...nodes.slice(0, -1).map(({ path, node }) => ({
      name: `chain code of node ${path} of ${name}`,
      bytes: node.chainCode ?? new Uint8Array(),
    })),
    ...indexes.map(index => ({
      name: `key ${index} of ${name}`,
      bytes: keyOf(account?.deriveChild(index)),
    })),
  ]
}

/** RFC 8032, 5.1.5: what ed25519 makes of a key is as good as the key. */
function partsOf(name: string, curve: Curve, bytes: Uint8Array): readonly Marked[] {
  if (curve !== 'ed25519') return [{ name, bytes }]
  const expanded = createHash('sha512').update(bytes).digest()
  const scalar = expanded.subarray(0, 32)
  scalar[0] = (scalar[0] ?? 0) & 248
  scalar[31] = ((scalar[31] ?? 0) & 127) | 64
  return [
    { name, bytes },
    { name: `scalar of the ${name}`, bytes: scalar },
    { name: `prefix of the ${name}`, bytes: expanded.subarray(32) },
  ]
}

/** The password and every key that opens the vault in `folder`. */
export function vaultSecretsOf(folder: string): readonly Marked[] {
  const { header } = decodeHeader(readFileSync(vaultPlace(folder).path))
  using password = secretOf(testPassword)
  using master = unwrapMaster(header, password).master
  using keys = deriveKeys(master, header.vaultId)
  const keks = header.slots.map(({ salt, cost }) => scrypt(password, salt, cost))
  return [
    { name: 'password', bytes: Buffer.from(testPassword) },
    ...keks.map(kek => ({ name: 'password key', bytes: revealed(kek) })),
    { name: 'master key', bytes: revealed(master) },
    { name: 'body key', bytes: revealed(keys.body) },
    { name: 'record key', bytes: revealed(keys.record) },
    { name: 'audit key', bytes: revealed(keys.audit) },
  ]
}

/** The nodes from the master key down a path, each by its own path. */
function nodesOf(master: HDKey, path: string): readonly { path: string; node: HDKey }[] {
  let node = master
  let at = 'm'
  const steps = path.split('/').slice(1)
  return [
    { path: at, node },
    ...steps.map(step => {
      at = `${at}/${step}`
      node = node.derive(`m/${step}`)
      return { path: at, node }
    }),
  ]
}

function publicKeyOf({ chain, network, mnemonic = '' }: TestWallet, index: number): Uint8Array {
  const path = findChain(chain)?.key.derivation?.path[network]
  const { publicKey } = HDKey.fromMasterSeed(mnemonicToSeedSync(mnemonic)).derive(
    `${path}/${index}`,
  )
  if (publicKey === null) throw new Error('no public key')
  return publicKey
}

function keyOf(node: HDKey | undefined): Uint8Array {
  if (!node?.privateKey) throw new Error('a node without its key')
  return node.privateKey
}

function mnemonicOf(label: string): string {
  return entropyToMnemonic(digest(label), wordlist)
}

function digest(label: string): Uint8Array {
  return createHash('sha256').update(`memory scan: ${label}`).digest()
}

function walletOf(n: number, chain: string) {
  return { id: idOf(n), chain, network: 'mainnet' } as const
}
