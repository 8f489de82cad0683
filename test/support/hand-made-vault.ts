/** A vault file written after docs/format.md with node:crypto alone: none of our own code is in it. */
import { createCipheriv, createHash, hkdfSync, randomBytes, scryptSync } from 'node:crypto'

export type HandMadeWallet = {
  readonly id: string
  readonly chain: string
  readonly network: 'mainnet' | 'testnet'
  readonly kind: 'mnemonic' | 'key'
  readonly secret: string
  /** Fields of tags that are not in the table of docs/format.md, or a second time. */
  readonly extra?: readonly Field[]
  /** Whose secret it really is: the additional data is made for that wallet. */
  readonly sealedFor?: Pick<HandMadeWallet, 'id' | 'chain' | 'network' | 'kind'>
}

type Field = readonly [tag: number, value: Uint8Array]

export type HandMade = {
  readonly passwords: readonly string[]
  readonly wallets?: readonly HandMadeWallet[]
  readonly attributes?: Uint8Array
  readonly generation?: bigint
  /** What stands behind the last wallet. */
  readonly tail?: Uint8Array
}

const vaultId = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex')
const master = Buffer.alloc(32, 7)
const cost = { log2N: 14, r: 1, p: 1 }

export function handMadeVault(made: HandMade): Buffer {
  const body = bodyOf(made)
  const nonce = randomBytes(12)
  const rest = Buffer.concat([
    vaultId,
    u64(made.generation ?? 1n),
    u8(made.passwords.length),
    ...made.passwords.map(slot),
    nonce,
    u64(BigInt(body.length + 16)),
  ])
  const length = u32(8 + 2 + 4 + rest.length + 32)
  const facts = Buffer.concat([Buffer.from('tatumkms'), u16(1), length, rest])
  const header = Buffer.concat([facts, createHash('sha256').update(facts).digest()])
  return Buffer.concat([header, gcm(derived('body'), nonce, body, header)])
}

function slot(password: string, number: number): Buffer {
  const salt = Buffer.alloc(16 + number, 9)
  const label = Buffer.from(`password ${number}`)
  const { log2N, r, p } = cost
  const facts = Buffer.concat([
    Buffer.alloc(16, number),
    u64(1_700_000_000_000n),
    u8(label.length),
    label,
    u8(1),
    u8(log2N),
    u32(r),
    u32(p),
    u8(salt.length),
    salt,
  ])
  const kek = scryptSync(password, salt, 32, { N: 2 ** log2N, r, p })
  const nonce = randomBytes(12)
  const aad = Buffer.concat([Buffer.from('tatum-kms slot'), u16(1), vaultId, facts])
  return Buffer.concat([facts, nonce, gcm(kek, nonce, master, aad)])
}

function bodyOf({ attributes = new Uint8Array(), wallets = [], tail }: HandMade): Buffer {
  return Buffer.concat([
    u32(attributes.length),
    attributes,
    u32(wallets.length),
    ...wallets.map(record),
    tail ?? new Uint8Array(),
  ])
}

function record(wallet: HandMadeWallet): Buffer {
  const { id, chain, network, kind, extra = [] } = wallet
  const content = Buffer.concat([
    Buffer.from(id.replaceAll('-', ''), 'hex'),
    u64(1_700_000_000_001n),
    field([1, Buffer.from(chain)]),
    field([2, u8(network === 'mainnet' ? 0 : 1)]),
    field([3, u8(kind === 'mnemonic' ? 0 : 1)]),
    field([8, sealedSecret(wallet)]),
    ...extra.map(field),
  ])
  return Buffer.concat([u32(content.length), content])
}

function sealedSecret(wallet: HandMadeWallet): Buffer {
  const { id, chain, network, kind } = wallet.sealedFor ?? wallet
  const texts = [id, chain, network, kind, 'secret'].map(text => Buffer.from(text))
  const aad = Buffer.concat([
    Buffer.from('tatum-kms record'),
    vaultId,
    ...texts.flatMap(text => [u16(text.length), text]),
  ])
  const nonce = randomBytes(12)
  const plain = field([wallet.kind === 'mnemonic' ? 1 : 2, Buffer.from(wallet.secret)])
  return Buffer.concat([nonce, gcm(derived('record'), nonce, plain, aad)])
}

function derived(info: string): Buffer {
  return Buffer.from(hkdfSync('sha256', master, vaultId, info, 32))
}

function gcm(key: Buffer, nonce: Buffer, plain: Uint8Array, aad: Buffer): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(aad)
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

function field([tag, value]: Field): Buffer {
  return Buffer.concat([u8(tag), u16(value.length), value])
}

function u8(value: number): Buffer {
  return Buffer.of(value)
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(value)
  return bytes
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(value)
  return bytes
}
