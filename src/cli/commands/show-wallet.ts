import { encodeQR } from 'qr'
import { equalBytes } from '../../base/bytes.ts'
import { KmsError } from '../../base/errors.ts'
import { prettyJson } from '../../base/json.ts'
import { findChain } from '../../chains/index.ts'
import { openKeyRoom } from '../../secret/key-room.ts'
import { formatKeyText } from '../../secret/key-text.ts'
import type { Secret } from '../../secret/secret.ts'
import { type KeySource, privateKeyAt, publicKeyAt } from '../../signer/keys.ts'
import type { WalletInfo } from '../../vault/records.ts'
import type { Vault } from '../../vault/vault.ts'
import type { Action } from '../action.ts'
import { chainArgument } from '../chain-argument.ts'
import { openWithPassword } from '../open-vault.ts'
import { answerSecretJson } from '../secret-json.ts'
import { storedMembers } from '../wallet-json.ts'

/** `getmanagedwallet ID` */
export const getManagedWallet: Action = async (context, [id = '']) => {
  using vault = openWithPassword(context)
  using secret = vault.reveal(id)
  const info = needWallet(vault, id)
  answerSecretJson(context.terminal, storedMembers(findChain(info.chain), info, secret))
  return 0
}

/** `getprivatekey ID [INDEX]`: a key wallet's own key, or key INDEX of a mnemonic wallet. */
export const getPrivateKey: Action = async (context, [id = '', given]) => {
  const index = parseIndex(given)
  using vault = openWithPassword(context)
  const info = needWallet(vault, id)
  using text = await keyTextOf(vault, info, indexFor(info, index))
  answerSecretJson(context.terminal, [['privateKey', text]])
  return 0
}

/** `getaddress ID [INDEX]` */
export const getAddress: Action = async (context, [id = '', given]) => {
  const index = parseIndex(given)
  using vault = openWithPassword(context)
  const info = needWallet(vault, id)
  const chain = chainArgument(info.chain)
  await using room = openKeyRoom()
  const source = { vault, publicKeyOf: room.publicKey }
  const place = { wallet: info, index: indexFor(info, index) }
  const address = chain.address(await publicKeyAt(chain, source, place), info.network)
  context.terminal.answer(prettyJson({ address }))
  if (context.isSet('qr')) context.terminal.draw(encodeQR(address, 'ascii', { ecc: 'medium' }))
  return 0
}

/** A stored key is printed as it was stored: another spelling could stand for another address. */
async function keyTextOf(
  vault: Vault,
  info: WalletInfo,
  index: number | undefined,
): Promise<Secret> {
  if (info.kind === 'key') {
    const { mnemonic, keyText } = vault.reveal(info.id)
    mnemonic?.wipe()
    if (keyText !== undefined) return keyText
    throw new KmsError('vault-damaged', 'this wallet lacks its private key')
  }
  const chain = chainArgument(info.chain)
  await using room = openKeyRoom()
  const source: KeySource = { vault, publicKeyOf: room.publicKey }
  const place = { wallet: info, index }
  using key = await privateKeyAt(chain, source, place)
  const derived = await room.publicKey(chain.key.curve, key)
  // Whoever puts this key into another program expects to find the address printed before.
  if (!equalBytes(derived.bytes, (await publicKeyAt(chain, source, place)).bytes)) {
    throw new KmsError('vault-damaged', 'the account key of this wallet is not the one of its xpub')
  }
  return await formatKeyText(chain.key, info.network, key, room.publicKey)
}

function needWallet(vault: Vault, id: string): WalletInfo {
  const info = vault.find(id)
  if (info === undefined) throw new KmsError('wallet-missing', 'no wallet of that id in the vault')
  return info
}

/** The original takes `5abc` for 5. */
function parseIndex(given: string | undefined): number | undefined {
  if (given === undefined) return undefined
  if (/^\d{1,10}$/.test(given) && Number(given) < 2 ** 31) return Number(given)
  throw new KmsError('usage', 'an index is a whole number from 0 to 2147483647')
}

/** The original takes a missing index for 0, and derives other keys from a wallet that has one. */
function indexFor({ kind }: WalletInfo, index: number | undefined): number | undefined {
  if (kind === 'key') {
    if (index === undefined || index === 0) return undefined
    throw new KmsError('usage', 'this wallet is a single private key: it has no other index')
  }
  if (index !== undefined) return index
  throw new KmsError('usage', 'a mnemonic wallet has many keys: say which index')
}
