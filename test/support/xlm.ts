import { ed25519 } from '@noble/curves/ed25519.js'
import {
  Account,
  Asset,
  Keypair,
  Memo,
  MuxedAccount,
  Networks,
  Operation,
  StrKey,
  Transaction,
  TransactionBuilder,
  type xdr,
} from '@stellar/stellar-base'
import fc from 'fast-check'
import type { Network, Signed } from '../../src/base/model.ts'
import type { Own, Prepared } from '../../src/chains/chain.ts'
import { defaultSettings } from '../../src/chains/settings.ts'
import { xlm } from '../../src/chains/xlm.ts'
import { pendingOf } from './evm.ts'

/** The recorded wallet. */
export const key = Keypair.fromSecret('SBUV3MRWKNS6AYKZ6E6MOUVF2OYMON3MIUASWL3JLY5E3ISDJFELYBRZ')
export const source = key.publicKey()
export const somebody = 'GDVSYYTUAJ3ACHTPQNSTQBDQ4LDHQCMNY4FCEQH5TJUMSSLWQSTG42MV'
export const issuer = 'GBFPWBTN4AXHPWPTQVQBP4KRZ2YVYYOGRMV2PEYL2OBPPJDP7LECEVHR'
export const usdc = new Asset('USDC', issuer)
export const networks = ['mainnet', 'testnet'] as const satisfies readonly Network[]

const passphrases = { mainnet: Networks.PUBLIC, testnet: Networks.TESTNET } as const

/** What a test asks for; the rest is that of the recorded payments. */
export type Wanted = {
  readonly operations?: readonly xdr.Operation[]
  readonly memo?: Memo
  readonly fee?: number
  readonly sequence?: bigint
  readonly minTime?: number
  readonly maxTime?: number
  readonly source?: string
}

export const maxTime = 1_767_225_600
export const pay = Operation.payment({ destination: somebody, asset: Asset.native(), amount: '5' })

/** An unsigned transaction as Tatum's library makes it. */
export function build(wanted: Wanted = {}, network: Network = 'mainnet'): Transaction {
  const { operations = [pay], memo = Memo.none(), fee = 100, sequence = 7n } = wanted
  const account = new Account(wanted.source ?? source, `${sequence - 1n}`)
  const builder = new TransactionBuilder(account, {
    fee: `${fee}`,
    memo,
    networkPassphrase: passphrases[network],
    timebounds: { minTime: wanted.minTime ?? 0, maxTime: wanted.maxTime ?? maxTime },
  })
  for (const operation of operations) builder.addOperation(operation)
  return builder.build()
}

export function readBack(envelope: string, network: Network = 'mainnet'): Transaction {
  return new Transaction(envelope, passphrases[network])
}

export function ownOf(network: Network = 'mainnet', by: Keypair = key): Own {
  const bytes = Uint8Array.from(by.rawPublicKey())
  return { network, keys: [{ curve: 'ed25519', bytes }], settings: defaultSettings }
}

export function prepare(envelope: string, network: Network = 'mainnet'): Prepared {
  return xlm.prepare(pendingOf(xlm, envelope), ownOf(network), {})
}

/** As the program does it, the key work by the library that does it there. */
export function sign(envelope: string, network: Network = 'mainnet'): Signed {
  const prepared = prepare(envelope, network)
  return prepared.seal(
    prepared.requests.map(({ message }) => ({
      bytes: ed25519.sign(message, key.rawSecretKey()),
      recovery: 0,
    })),
  )
}

/** By stellar-base alone. */
export function signByLibrary(tx: Transaction): Signed {
  tx.sign(key)
  return { txData: tx.toXDR(), txId: tx.hash().toString('hex') }
}

const bytes = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map(found => Buffer.from(found))
export const account = fc.oneof(
  bytes(32).map(found => StrKey.encodeEd25519PublicKey(found)),
  fc.constantFrom(somebody, issuer, source),
)
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const destination = fc.oneof(
  account,
  fc
    .tuple(account, uint64)
    .map(([id, number]) => new MuxedAccount(new Account(id, '0'), `${number}`).accountId()),
)
const code = fc.stringMatching(/^[A-Za-z0-9]{1,12}$/)
const credit = fc.tuple(code, account).map(([name, by]) => new Asset(name, by))
const asset = fc.oneof(fc.constant(Asset.native()), credit)
/** Any amount in the seven decimals of the library. */
const amount = (min: bigint) =>
  fc.bigInt({ min, max: 2n ** 63n - 1n }).map(stroops => {
    const digits = `${stroops}`.padStart(8, '0')
    return `${digits.slice(0, -7)}.${digits.slice(-7)}`
  })
const ownSource = fc.constantFrom<{ source?: string }>({}, { source })

export const operations = fc.array(
  fc.oneof(
    fc
      .tuple(fc.record({ destination, asset, amount: amount(1n) }), ownSource)
      .map(parts => Operation.payment(Object.assign({}, ...parts))),
    fc
      .tuple(fc.record({ destination: account, startingBalance: amount(0n) }), ownSource)
      .map(parts => Operation.createAccount(Object.assign({}, ...parts))),
    fc
      .tuple(fc.record({ asset: credit, limit: amount(0n) }), ownSource)
      .map(parts => Operation.changeTrust(Object.assign({}, ...parts))),
  ),
  { minLength: 1, maxLength: 5 },
)

export const memo = fc.oneof(
  fc.constant(Memo.none()),
  fc
    .string({ unit: 'grapheme', maxLength: 28 })
    .filter(text => Buffer.byteLength(text) <= 28)
    .map(text => Memo.text(text)),
  uint64.map(id => Memo.id(`${id}`)),
  bytes(32).map(hash => Memo.hash(hash.toString('hex'))),
  bytes(32).map(hash => Memo.return(hash.toString('hex'))),
)

export const wanted: fc.Arbitrary<Wanted> = fc.record({
  operations,
  memo,
  fee: fc.nat(2_000_000),
  sequence: fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }),
  minTime: fc.nat(maxTime),
  maxTime: fc.integer({ min: maxTime, max: 4_000_000_000 }),
})
